"""Asking elsewhere by HTTP: one request, bounded in time, to an address that was looked up once.  No redirects.

Whoever asks says which networks may be meant, reads the answer within bounds of its own, and follows redirects itself
if it wants to.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.encoding import iri_to_uri

from packhouse.base.network import NotAllowed, allowed_addresses, any_addresses

PORTS: Final = {"http": 80, "https": 443}
FAILURES: Final = (OSError, HTTPException, ValueError, NotAllowed)
"""What comes up when an answer cannot be had; ``ValueError``: the address is none."""


@contextmanager
def asked(
    url: str,
    *,
    allowed: Sequence[str] | None,
    deadline: float,
    headers: Mapping[str, str],
    method: str = "GET",
    body: bytes | None = None,
) -> Iterator[HTTPResponse]:
    """The answer to a request for *url*.  Whatever is still going on at *deadline* (``time.monotonic()``) is cut off.

    Asked are public addresses, and those of the networks *allowed*, on any port; with None every address, for hosts
    that the operator has named.  Raises one of ``FAILURES``.
    """
    parts = parts_of(url)
    raw = _connected(parts, allowed, deadline)
    handle = raw.dup()  # stays good when the socket is wrapped
    cut = threading.Timer(max(0.0, deadline - time.monotonic()), _cut_off, [handle])
    cut.daemon = True
    cut.start()
    try:
        with closing(raw), closing(_speaking(parts, raw)) as connection:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=dict(headers))
            with connection.getresponse() as response:
                yield response
    finally:
        cut.cancel()
        cut.join()
        handle.close()


def read(response: HTTPResponse, *, at_most: int, deadline: float) -> bytes:
    """The whole body.  Raises ``ValueError`` where it is longer than *at_most* bytes, compressed, or cut off."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ValueError("it is compressed, which was not asked for")
    data = response.read(at_most + 1)
    if len(data) > at_most:
        raise ValueError("it is too large")
    if time.monotonic() >= deadline or (response.length or 0) > 0:
        raise ValueError("it did not come in time")
    return data


def parts_of(url: str) -> SplitResult:
    """The parts of an address that may be asked: plain http or https.  Raises ``NotAllowed`` and ``ValueError``."""
    parts = urlsplit(iri_to_uri(url))
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        raise NotAllowed("it is no plain http or https address")
    _ = parts.port  # raises ValueError when it is no number
    return parts


def _connected(parts: SplitResult, allowed: Sequence[str] | None, deadline: float) -> socket.socket:
    """A connection to one of the host's addresses, the first that answers."""
    usual = PORTS[parts.scheme]
    host, port = (parts.hostname or "").encode("idna").decode(), parts.port or usual
    failure: OSError = OSError("it has no address")
    if allowed is None:
        addresses = any_addresses(host, port)
    else:
        addresses = allowed_addresses(host, port, allowed, usual_port=port == usual)
    for address in addresses[:3]:
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
