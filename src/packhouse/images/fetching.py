"""Fetching a picture: http or https, public addresses only, with bounds on time, size and the number of redirects."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from django.utils.encoding import iri_to_uri

from packhouse.images import kinds
from packhouse.images.addresses import LONGEST, PREFIX
from packhouse.images.network import NotAllowed, allowed_addresses

LARGEST: Final = 5 * 1024**2
SECONDS: Final = 8.0
REDIRECTS: Final = 3
PORTS: Final = {"http": 80, "https": 443}
MOVED: Final = frozenset({301, 302, 303, 307, 308})
MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})", re.IGNORECASE)
SHORTEST, USUAL, LONGEST_KEPT = 3600, 86_400, 7 * 86_400
"""Seconds for which a picture is kept: as its origin says, within bounds."""
HEADERS: Final = {
    "User-Agent": "packhouse-images",
    "Accept": "image/avif,image/webp,image/png,image/svg+xml,image/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class NotFetched(Exception):
    """There is no picture to show; the text says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture, its media type, and for how many seconds it may be kept."""

    kind: str
    data: bytes
    lifetime: int


def fetch(url: str, *, allowed: Sequence[str] = (), seconds: float = SECONDS) -> Picture:
    """The picture at *url*, within *seconds* in total.  Networks *allowed* count as public, and may use any port.

    Raises ``NotFetched``.
    """
    deadline = time.monotonic() + seconds
    try:
        for _ in range(REDIRECTS + 1):
            with _asked(url, allowed, deadline) as response:
                target = response.headers.get("Location")
                if response.status not in MOVED or not target:
                    return _picture(response, deadline)
                url = urljoin(url, target)
    except (
        OSError,
        HTTPException,
        ValueError,
        NotAllowed,
    ) as error:  # ValueError: an address or a picture that is none
        raise NotFetched(f"{type(error).__name__}: {error}"[:200]) from error
    raise NotFetched("it is redirected too often")


@contextmanager
def _asked(url: str, allowed: Sequence[str], deadline: float) -> Iterator[HTTPResponse]:
    """The answer to a request for *url*.  Whatever is still going on at *deadline* is cut off."""
    parts = _parts(url)
    raw = _connected(parts, allowed, deadline)
    handle = raw.dup()  # stays good when the socket is wrapped
    cut = threading.Timer(max(0.0, deadline - time.monotonic()), _cut_off, [handle])
    cut.daemon = True
    cut.start()
    try:
        with closing(raw), closing(_speaking(parts, raw)) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=HEADERS)
            with connection.getresponse() as response:
                yield response
    finally:
        cut.cancel()
        cut.join()
        handle.close()


def _parts(url: str) -> SplitResult:
    """The parts of an address that may be asked.  A picture of this proxy, or of one like it, is not fetched again."""
    parts = urlsplit(iri_to_uri(url))
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        raise NotAllowed("it is no plain http or https address")
    if len(url) > LONGEST or PREFIX in parts.path:
        raise NotAllowed("it is too long, or comes from a proxy of pictures")
    _ = parts.port  # raises ValueError when it is no number
    return parts


def _connected(parts: SplitResult, allowed: Sequence[str], deadline: float) -> socket.socket:
    """A connection to one of the host's addresses, the first that answers."""
    usual = PORTS[parts.scheme]
    host, port = (parts.hostname or "").encode("idna").decode(), parts.port or usual
    failure: OSError = OSError("it has no address")
    for address in allowed_addresses(host, port, allowed, usual_port=port == usual)[:3]:
        raw = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(max(0.1, (deadline - time.monotonic()) / 2))
        try:
            raw.connect((address, port))
        except OSError as error:
            raw.close()
            failure = error
        else:
            return raw
    raise failure


def _speaking(parts: SplitResult, raw: socket.socket) -> HTTPConnection:
    """An HTTP connection over *raw*; with TLS, the certificate must be the name's."""
    host = (parts.hostname or "").encode("idna").decode()
    if parts.scheme == "http":
        connection = HTTPConnection(host, parts.port)
        connection.sock = raw
    else:
        connection = HTTPSConnection(host, parts.port)
        connection.sock = _tls().wrap_socket(raw, server_hostname=host)
    return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _cut_off(handle: socket.socket) -> None:
    with suppress(OSError):
        handle.shutdown(socket.SHUT_RDWR)


def _picture(response: HTTPResponse, deadline: float) -> Picture:
    """The picture in an answer, if it is one."""
    if response.status != 200:
        raise NotFetched(f"its origin answers {response.status}")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotFetched("it is compressed, which was not asked for")
    data = response.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise NotFetched("it is too large")
    if time.monotonic() >= deadline or (response.length or 0) > 0:
        raise NotFetched("it did not come in time")
    kind, shown = kinds.recognised(data)
    said = MAX_AGE.search(response.headers.get("Cache-Control", ""))
    return Picture(kind, shown, min(LONGEST_KEPT, max(SHORTEST, int(said[1]) if said else USUAL)))
