"""XML-RPC on the wire: calls in, answers and faults out.  Knows nothing of the methods.

http://xmlrpc.com/spec.md.  Answers are iterables of bytes, so that long ones need not be held as a whole.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from xml.sax.saxutils import escape
from xmlrpc.client import Fault, Unmarshaller, dumps

from defusedxml.xmlrpc import DefusedExpatParser

MAX_BODY = 1024**2
"""Bytes of a call; real ones have hundreds."""

PARSE_ERROR, UNKNOWN_METHOD, INVALID_PARAMETERS, APPLICATION_ERROR = -32700, -32601, -32602, -32500
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = b"<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n"
_TAIL = b"</param>\n</params>\n</methodResponse>\n"


class Call(NamedTuple):
    """A method and the values of its parameters: int, bool, str, float, list, dict, None and what else XML-RPC has."""

    method: str
    parameters: tuple[Any, ...]


def read_call(body: bytes) -> Call:
    """The call in *body*; ``Fault`` -32700 for anything else.  A document type or an entity is refused unread."""
    if len(body) > MAX_BODY:
        raise Fault(PARSE_ERROR, f"parse error; a call has at most {MAX_BODY} bytes")
    target = Unmarshaller(use_builtin_types=True)
    try:
        parser = DefusedExpatParser(target, forbid_dtd=True)
        parser.feed(body)
        parser.close()
        parameters = target.close()
    except Exception as error:  # whatever expat and the unmarshaller raise, the body is to blame
        raise Fault(PARSE_ERROR, "parse error; not well formed") from error
    method = target.getmethodname()
    if not method:
        raise Fault(PARSE_ERROR, "parse error; no method is called")
    return Call(method, tuple(parameters))


def fault(error: Fault) -> list[bytes]:
    clean = Fault(error.faultCode, legal(error.faultString))
    return [dumps(clean, methodresponse=True, allow_none=True).encode()]


def fault_value(error: Fault) -> Iterator[bytes]:
    """*error* as a value among others, as ``system.multicall`` tells of it."""
    members = [("faultCode", number(error.faultCode)), ("faultString", text(error.faultString))]
    return struct([members])


def answer(value: Iterable[bytes]) -> Iterator[bytes]:
    """The response whose one value is *value*, already rendered by the functions below."""
    yield _HEAD
    yield from value
    yield _TAIL


def number(value: int) -> str:
    """Past 32 bits the type is i8, which Python and Java read; serials get there late or never."""
    kind = "int" if -(2**31) <= value < 2**31 else "i8"
    return f"<value><{kind}>{value}</{kind}></value>"


def text(value: str) -> str:
    escaped = escape(legal(value), {"\r": "&#13;"})
    return f"<value><string>{escaped}</string></value>"


def nothing() -> str:
    return "<value><nil/></value>"


ARRAY = (b"<value><array><data>\n", b"</data></array></value>\n")
"""What stands before and behind the values of an array."""


def array(chunks: Iterable[Iterable[str]]) -> Iterator[bytes]:
    """An array of rendered values, which come in chunks."""
    yield ARRAY[0]
    for chunk in chunks:
        yield "".join(f"{value}\n" for value in chunk).encode()
    yield ARRAY[1]


def row(*values: str) -> str:
    """A short array of rendered values."""
    return f"<value><array><data>{''.join(values)}</data></array></value>"


def struct(chunks: Iterable[Iterable[tuple[str, str]]]) -> Iterator[bytes]:
    """A struct of names and rendered values, which come in chunks."""
    yield b"<value><struct>\n"
    for chunk in chunks:
        yield "".join(f"<member><name>{escape(legal(name))}</name>{value}</member>\n" for name, value in chunk).encode()
    yield b"</struct></value>\n"


def legal(value: str) -> str:
    """*value* without the characters that XML cannot hold."""
    return _ILLEGAL.sub("", value)
