"""What goes into the data plane and what comes out."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from packhouse.base import cors

if TYPE_CHECKING:
    from packhouse.dataplane.page import Page, Variant
    from packhouse.server.sending import Sealed

Header = tuple[str, str]


class Headers(Protocol):
    """Request headers, by lower-case name; a field that was sent several times is joined by commas."""

    def get(self, name: str, default: str | None = None) -> str | None: ...


class Joined:
    """The headers of a server that tells each line of its own, as one list each (RFC 9110, 5.3)."""

    __slots__ = ("_lines",)

    def __init__(self, lines: Any) -> None:
        self._lines = lines

    def get(self, name: str, default: str | None = None) -> str | None:
        """What was sent under *name*, its lines joined in their order."""
        values: list[str] = self._lines.get_all(name)
        return values[0] if len(values) == 1 else ", ".join(values) if values else default


@dataclass(slots=True)
class Request:
    """A request line and headers.  ``path`` is percent-decoded; ``query`` is as it was sent."""

    method: str
    path: str
    query: str
    headers: Headers | Mapping[str, str]


@dataclass(slots=True)
class FileSlice:
    """Bytes ``start`` up to (not including) ``end`` of a blob of ``size`` bytes, by key and, on disk, by path.

    ``packed`` asks the adapter to gzip the (whole, small) file on its way out.  ``chunks`` are its bytes from a remote
    store, which has begun to give them.
    """

    key: str
    size: int
    start: int
    end: int
    path: str | None = None
    packed: bool = False
    chunks: AsyncIterator[bytes] | None = None


@dataclass(slots=True)
class Response:
    """A status, headers, and a body that is bytes or part of a blob.

    ``page`` and ``variant`` are what it was made from, if it may be given again as long as that page is in memory.
    """

    status: int
    headers: list[Header]
    body: "bytes | Sealed | FileSlice" = b""
    route: str = "other"
    page: "Page | None" = None
    variant: "Variant | None" = None


@dataclass(frozen=True, slots=True)
class Site:
    """What the data plane knows of the configuration.

    ``index_max_age`` (seconds) goes into Cache-Control of index pages; ``surrogates`` says whether a purging cache in
    front is told to keep pages until they are purged.
    """

    public_url: str = "http://127.0.0.1:8080"
    index_max_age: int = 0
    surrogates: bool = False
    hsts: bool = False

    def security(self) -> list[Header]:
        """Headers that every response carries."""
        found = [
            ("referrer-policy", "strict-origin-when-cross-origin"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-permitted-cross-domain-policies", "none"),
        ]
        if self.hsts:
            found.append(("strict-transport-security", "max-age=31536000; includeSubDomains"))
        return found


CORS: list[Header] = [(name.lower(), value) for name, value in cors.CORS.items()]
CSP: Header = ("content-security-policy", "default-src 'none'; frame-ancestors 'none'")
NAME = re.compile(r"(?=.{1,200}\Z)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.DOTALL)
"""A project name that is looked up at all: a longer one is nobody's, and remembering its absence would cost memory."""
READ_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
TEXT: Header = ("content-type", "text/plain; charset=UTF-8")


def not_allowed(site: Site, route: str, allowed: str = "GET, HEAD, OPTIONS") -> Response:
    headers = [TEXT, ("allow", allowed), CSP, *site.security()]
    return Response(405, headers, b"405 Method Not Allowed", route)


def text(site: Site, status: int, body: str, route: str, *more: Header) -> Response:
    return Response(status, [TEXT, *more, CSP, *site.security()], body.encode(), route)
