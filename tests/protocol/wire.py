"""Requests as bytes on a socket, and what comes back, unchanged by any client library."""

import contextlib
import socket
import time
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: status, headers as they came (names in lower case), body; ``seconds`` until it was complete."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float = 0.0

    def __getitem__(self, name: str) -> str:
        """The value of the one header *name*; fails when there is none, or more than one."""
        values = [value for key, value in self.headers if key == name.lower()]
        assert len(values) == 1, f"{name}: {values}"
        return values[0]

    def __contains__(self, name: str) -> bool:
        return any(key == name.lower() for key, _ in self.headers)

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.headers}


class Closed(Exception):
    """The server closed the connection without a complete response."""


class Connection:
    """A socket to the server at *url*."""

    def __init__(self, url: str, timeout: float = PATIENCE) -> None:
        parts = urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def try_send(self, data: bytes) -> None:
        """Send what the server takes: it may answer, and close, before it has read everything."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def _more(self) -> None:
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError as error:
            raise Closed from error
        if not data:
            raise Closed
        self._seen += data

    def answer(self, *, head: bool = False) -> Answer:
        """The next response; *head* says that it is one to HEAD.  Raises ``Closed``."""
        began = time.monotonic()
        while b"\r\n\r\n" not in self._seen:
            self._more()
        top, _, self._seen = self._seen.partition(b"\r\n\r\n")
        status, *lines = top.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        code = int(status.split()[1])
        body = b"" if head or code in {100, 204, 304} else self._body(dict(headers))
        return Answer(code, headers, body, time.monotonic() - began)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(iter(self._chunk, b""))
        length = int(headers.get("content-length", "0"))
        return self._take(length)

    def _take(self, length: int) -> bytes:
        while len(self._seen) < length:
            self._more()
        taken, self._seen = self._seen[:length], self._seen[length:]
        return taken

    def _chunk(self) -> bytes:
        while b"\r\n" not in self._seen:
            self._more()
        size, _, self._seen = self._seen.partition(b"\r\n")
        return self._take(int(size, 16) + 2)[:-2]

    def is_closed(self, within: float = PATIENCE) -> bool:
        """Whether the server closes the connection, without sending more, within that many seconds."""
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True


def head_of(method: str, target: str | bytes, headers: dict[str, str] | None = None) -> bytes:
    """A request's head; the Host header is there unless *headers* has its own."""
    target = target.encode() if isinstance(target, str) else target
    given = {"Host": "packages.example"} | (headers or {})
    lines = [f"{name}: {value}".encode("latin-1") for name, value in given.items() if value is not None]
    return b"\r\n".join([method.encode() + b" " + target + b" HTTP/1.1", *lines, b"", b""])


def ask(
    url: str, target: str | bytes, *, method: str = "GET", body: bytes = b"", timeout: float = PATIENCE, **headers: str
) -> Answer:
    """One request over a connection of its own; header names with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body:
        named.setdefault("Content-Length", str(len(body)))
    with Connection(url, timeout) as connection:
        connection.try_send(head_of(method, target, named | {"Connection": "close"}) + body)
        return connection.answer(head=method == "HEAD")
