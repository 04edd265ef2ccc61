"""The head of an answer, as it travels (RFC 9112)."""

import re
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

Header = tuple[str, str]
_STATUS = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus}
_BODILESS = frozenset((204, 304))
_PHRASE = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")


def head(status: int, headers: Iterable[Header], length: int | None = None, phrase: str = "") -> bytes:
    """Status line and header lines, without the empty line.  *length* is told unless the headers do so themselves.

    *phrase* stands in the status line in the place of the standard's, if it is one short line of ASCII.  Raises
    ``ValueError`` for a value that would end its line, and for one that is not Latin-1.
    """
    lines = [f"{name}: {value}\r\n" for name, value in headers]
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise ValueError("a header holds a line break")
    if length is not None and status not in _BODILESS and "content-length: " not in text:
        text += f"content-length: {length}\r\n"
    return (_status(status, phrase) + text).encode("latin-1")


def _status(status: int, phrase: str) -> str:
    if phrase and _PHRASE.fullmatch(phrase):
        return f"HTTP/1.1 {status} {phrase}\r\n"
    return _STATUS.get(status) or f"HTTP/1.1 {status} Unknown\r\n"


def length_of(head: bytes) -> int | None:
    """The Content-Length that a *head* of ours announces."""
    _, found, rest = head.partition(b"\r\ncontent-length: ")
    return int(rest[: rest.index(b"\r")]) if found else None


def date() -> bytes:
    """The line that says when an answer was made; good for a second."""
    return b"date: " + formatdate(usegmt=True).encode() + b"\r\n"


def refusal(status: int, *more: Header, reason: str = "") -> bytes:
    """A whole answer to what is no request, or one there is no room for; the connection ends with it.

    *reason* tells people what was wrong.
    """
    body = f"{status} {HTTPStatus(status).phrase}{reason and ': '}{reason}".encode()
    headers = [
        ("content-type", "text/plain; charset=UTF-8"),
        *more,
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("x-permitted-cross-domain-policies", "none"),
        ("connection", "close"),
    ]
    return head(status, headers, len(body)) + date() + b"\r\n" + body
