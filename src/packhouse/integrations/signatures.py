"""Whether a report comes from the reporter of the setting ``vulnerability_keys``.

The setting says where the reporter's public keys are: a JSON document like
``{"public_keys": [{"key_identifier": "…", "key": "-----BEGIN PUBLIC KEY-----…", "is_current": true}]}``.  A request
names one of them and carries a signature of its body: ECDSA with SHA-256, in Base64.
"""

import json
import urllib.request
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings

from packhouse.base import clock

NOBODY: Final = "none://"
KEPT: Final = timedelta(minutes=30)
AGAIN: Final = timedelta(minutes=1)
"""After which time an identifier that is not among the keys has them fetched anew."""
LARGEST: Final = 256 * 1024
PATIENCE: Final = 5.0


class Untrusted(Exception):
    """It is not signed by the reporter."""


class Unavailable(Exception):
    """The reporter's keys cannot be had at the moment."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The reporter's keys by identifier, as they were at a time; old ones are those that are no longer current."""

    place: str
    fetched: datetime
    current: dict[str, EllipticCurvePublicKey]
    old: frozenset[str]


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """What answers elsewhere is not what the operator has named."""


_opener: Final = urllib.request.build_opener(_NoRedirects)
_kept: dict[str, Keys] = {}


def is_set_up() -> bool:
    return bool(settings.PACKHOUSE.vulnerability_keys != NOBODY)


def verify(body: bytes, *, identifier: str, signature: str) -> None:
    """Raises ``Untrusted`` unless *signature* is one of *body* by the key *identifier*; and ``Unavailable``."""
    keys = _keys(KEPT)
    if identifier not in keys.current:
        keys = _keys(AGAIN)
    if identifier in keys.old:
        raise Untrusted("the key is not current any more")
    if identifier not in keys.current:
        raise Untrusted("the reporter has no such key")
    try:
        keys.current[identifier].verify(b64decode(signature, validate=True), body, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise Untrusted("the signature does not hold") from None


def probe() -> str:
    """How many keys the reporter has; raises ``Unavailable``."""
    return f"{len(_fetched(settings.PACKHOUSE.vulnerability_keys).current)} keys"


def _keys(oldest: timedelta) -> Keys:
    """The keys as they were at most *oldest* ago; where they cannot be had, as they were at most `KEPT` ago."""
    place = settings.PACKHOUSE.vulnerability_keys
    known, now = _kept.get(place), clock.now()
    if known is not None and timedelta(0) <= now - known.fetched < oldest:
        return known
    try:
        _kept[place] = _fetched(place)
    except Unavailable:
        if known is None or now - known.fetched >= KEPT:
            raise
        return known
    return _kept[place]


def _fetched(place: str) -> Keys:
    try:
        return _parsed(place, _contents(place))
    except (OSError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        raise Unavailable(f"the keys cannot be read: {error}") from error


def _contents(place: str) -> bytes:
    if place.startswith("file:"):
        with Path(unquote(urlsplit(place).path)).open("rb") as file:
            return _bounded(file)
    request = urllib.request.Request(place, headers={"Accept": "application/json"})  # noqa: S310 (by the setting)
    with _opener.open(request, timeout=PATIENCE) as response:
        return _bounded(response)


def _bounded(content: IO[bytes]) -> bytes:
    found = content.read(LARGEST + 1)
    if len(found) > LARGEST:
        raise ValueError(f"expected at most {LARGEST} bytes")
    return found


def _parsed(place: str, content: bytes) -> Keys:
    current, old = {}, set()
    for said in json.loads(content)["public_keys"]:
        identifier = str(said["key_identifier"])
        if said.get("is_current") is False:
            old.add(identifier)
            continue
        key = load_pem_public_key(said["key"].encode())
        if not isinstance(key, EllipticCurvePublicKey):
            raise TypeError(f"{identifier} is no key for ECDSA")
        current[identifier] = key
    return Keys(place, clock.now(), current, frozenset(old))
