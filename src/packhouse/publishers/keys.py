"""The keys of issuers, as each process has them in memory.

Found by OpenID Connect Discovery: ``{issuer}/.well-known/openid-configuration`` names where they are.  Keys are asked
for anew once an hour, and where a token names one that is not among them; but no more often than once a minute for
each issuer, and whatever an issuer does, for no longer than some seconds.  One that does not answer is believed for a
day.
"""

import json
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from jwt import PyJWK, PyJWTError

from packhouse.base import metrics
from packhouse.base.egress import FAILURES, asked, read
from packhouse.publishers.issuers import own_issuers
from packhouse.publishers.providers.provider import Issuer

FRESH: Final = 3600.0
OLDEST: Final = 86_400.0
AGAIN: Final = 60.0
PATIENCE: Final = 5.0
"""Seconds for both requests together."""
LARGEST: Final = 256 * 1024
LEAST_BITS: Final = 2048
DISCOVERY: Final = "/.well-known/openid-configuration"
HEADERS: Final = {
    "User-Agent": "packhouse",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
log: Any = structlog.get_logger(__name__)


class KeysUnavailable(Exception):
    """The issuer's keys cannot be had at the moment."""


@dataclass(slots=True)
class _Ring:
    """An issuer's keys by ``kid``, when they were fetched and when they were last asked for (``time.monotonic()``)."""

    keys: dict[str, Any] = field(default_factory=dict)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


_rings: defaultdict[str, _Ring] = defaultdict(_Ring)


def find(issuer: Issuer, kid: str) -> Any:
    """The key that the issuer calls *kid*; None where it has no such one.  Raises ``KeysUnavailable``."""
    ring = _rings[issuer.url]
    with ring.lock:  # those who wait need the same answer
        age = monotonic() - ring.fetched
        if (kid not in ring.keys or age >= FRESH) and monotonic() - ring.tried >= AGAIN:
            _refresh(ring, issuer)
            age = monotonic() - ring.fetched
        if age >= OLDEST:
            raise KeysUnavailable(issuer.url)
        return ring.keys.get(kid)


def probe() -> str:
    """How many keys the issuers of the setting ``oidc_issuers`` have; raises where one does not answer."""
    return ", ".join(f"{issuer.host}: {len(_fetched(issuer))} keys" for issuer in own_issuers())


def forget() -> None:
    """Have all keys fetched anew."""
    _rings.clear()


def _refresh(ring: _Ring, issuer: Issuer) -> None:
    ring.tried = monotonic()
    try:
        ring.keys = _fetched(issuer)
    except (*FAILURES, KeyError, TypeError, AttributeError, RecursionError, PyJWTError) as error:
        metrics.count("packhouse_upstream_errors", "oidc")
        log.warning("the keys of an issuer cannot be had", issuer=issuer.url, why=f"{type(error).__name__}: {error}")
    else:
        ring.fetched = monotonic()


def _fetched(issuer: Issuer) -> dict[str, Any]:
    deadline = monotonic() + PATIENCE
    said = _json(f"{issuer.url}{DISCOVERY}", None, deadline)
    if said["issuer"] != issuer.url:  # OpenID Connect Discovery 4.3
        raise ValueError("the discovery document is of another issuer")
    place = said["jwks_uri"]
    listed = _json(place, None if _same_origin(place, issuer.url) else (), deadline)["keys"]
    usable = (_usable(key) for key in listed if isinstance(key, dict) and isinstance(key.get("kid"), str))
    return {kid: key for kid, key in usable if key is not None}


def _json(url: str, allowed: tuple[str, ...] | None, deadline: float) -> Any:
    """What is at *url*.  An address that the issuer has chosen must be of the public Internet, and have TLS."""
    if allowed is not None and urlsplit(url).scheme != "https":
        raise ValueError("the keys are elsewhere, and without TLS")
    with asked(url, allowed=allowed, deadline=deadline, headers=HEADERS) as response:
        if response.status != 200:
            raise ValueError(f"{url} answers {response.status}")
        return json.loads(read(response, at_most=LARGEST, deadline=deadline))


def _same_origin(one: str, other: str) -> bool:
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def _usable(key: dict[str, Any]) -> tuple[str, Any]:
    """The key with its name, if it is one that RS256 signatures are verified with."""
    kid = key["kid"]
    if key.get("kty") != "RSA" or key.get("use", "sig") != "sig" or key.get("alg", "RS256") != "RS256":
        return kid, None
    try:
        made = PyJWK(key, algorithm="RS256")
    except (PyJWTError, ValueError, TypeError):
        return kid, None
    return kid, made if made.key.key_size >= LEAST_BITS else None
