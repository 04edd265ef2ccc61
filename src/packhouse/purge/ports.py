"""The caches in front: Varnish with its xkey module, Fastly, nobody."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final, Protocol, Self
from urllib.parse import quote, urlsplit

from django.conf import settings

from packhouse.base.values import PurgeTarget, purge_target

NOBODY: Final = "none://"
EVERYTHING: Final = "everything"
"""A key of every page that a cache keeps, for operators."""
TIMEOUT: Final = 10.0
IN_A_REQUEST: Final = 256
"""Keys of one request: Fastly's bound for a batch."""
IN_A_HEADER: Final = 4000
"""Bytes of a header field: Varnish takes 8 KiB."""


class Failed(Exception):
    """The cache did not do what it was told."""


class Port(Protocol):
    """Tells a cache."""

    def purge(self, keys: Sequence[str]) -> None:
        """Have every page with one of *keys* made anew before it is shown again.  Raises ``Failed``."""
        ...

    def probe(self) -> str:
        """A word on how it is; raises ``Failed`` when it does not answer."""
        ...


def plugged_in() -> Port:
    """The port that ``Config.purge`` names."""
    if settings.PACKHOUSE.purge == NOBODY:
        return Nobody()
    target = purge_target(settings.PACKHOUSE.purge)
    return Varnish.from_target(target) if target.scheme == "varnish" else Fastly.from_target(target)


@dataclass(frozen=True, slots=True)
class Nobody:
    """There is no cache in front."""

    def purge(self, keys: Sequence[str]) -> None:
        return None

    def probe(self) -> str:
        return "no cache in front is told of changes"


@dataclass(frozen=True, slots=True)
class Varnish:
    """One Varnish or several, configured by what ``packhouse vcl`` prints."""

    hosts: tuple[tuple[str, int], ...]
    secret: str
    soft: bool

    @classmethod
    def from_target(cls, target: PurgeTarget) -> Self:
        return cls(target.hosts, target.secret, target.soft)

    def purge(self, keys: Sequence[str]) -> None:
        name = "Packhouse-Soft-Purge" if self.soft else "Packhouse-Purge"
        headers = [{name: " ".join(some)} for some in batches(keys, IN_A_REQUEST, IN_A_HEADER)]
        for host, port in self.hosts:
            for header in headers:
                self._tell(host, port, header)

    def probe(self) -> str:
        for host, port in self.hosts:
            self._tell(host, port, {})
        return ", ".join(f"{host}:{port}" for host, port in self.hosts) + " can be purged"

    def _tell(self, host: str, port: int, header: dict[str, str]) -> None:
        header = header | ({"Packhouse-Purge-Secret": self.secret} if self.secret else {})
        told = _ask(HTTPConnection(host, port, timeout=TIMEOUT), "PURGE", "/", header)
        if told.status != 200 or told.headers.get("Packhouse-Purged") is None:
            raise Failed(f"Varnish at {host}:{port} answered {told.status} {told.reason}")


@dataclass(frozen=True, slots=True)
class Fastly:
    """A service of Fastly, by its documented API: up to 256 keys in a request, soft purges by a header."""

    service: str
    token: str
    soft: bool
    endpoint: str = "https://api.fastly.com"

    @classmethod
    def from_target(cls, target: PurgeTarget) -> Self:
        more = {"endpoint": target.endpoint} if target.endpoint else {}
        return cls(target.hosts[0][0], target.secret, target.soft, **more)

    def purge(self, keys: Sequence[str]) -> None:
        if EVERYTHING in keys:
            self._call("POST", f"/service/{quote(self.service, safe='')}/purge_all", {})
            return
        soft = {"Fastly-Soft-Purge": "1"} if self.soft else {}
        for some in batches(keys, IN_A_REQUEST):
            body = json.dumps({"surrogate_keys": some}).encode()
            headers = {"Content-Type": "application/json", **soft}
            self._call("POST", f"/service/{quote(self.service, safe='')}/purge", headers, body)

    def probe(self) -> str:
        self._call("GET", f"/service/{quote(self.service, safe='')}", {})
        return "the service is known"

    def _call(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> None:
        url = urlsplit(self.endpoint)
        made = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = made(url.hostname or "", url.port, timeout=TIMEOUT)
        told = _ask(connection, method, path, {"Fastly-Key": self.token, "Accept": "application/json", **headers}, body)
        if told.status != 200:
            raise Failed(f"Fastly answered {told.status} {told.reason}")


def _ask(
    connection: HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes = b""
) -> HTTPResponse:
    """The head of the answer.  Nothing is followed: what holds a secret goes where it was meant to go."""
    with closing(connection):
        try:
            connection.request(method, path, body or None, {"User-Agent": "packhouse", **headers})
            told = connection.getresponse()
            told.read(65_536)
        except (OSError, HTTPException) as error:
            where = f"{connection.host}:{connection.port}"
            raise Failed(f"{where} does not answer: {type(error).__name__}: {error}") from None
    return told


def batches(keys: Sequence[str], most: int, size: int = 1_000_000) -> Iterator[list[str]]:
    """*keys* in order, at most *most* at once and *size* bytes with the spaces between them."""
    some: list[str] = []
    length = 0
    for key in keys:
        if some and (len(some) == most or length + len(key) + 1 > size):
            yield some
            some, length = [], 0
        some.append(key)
        length += len(key) + 1
    if some:
        yield some
