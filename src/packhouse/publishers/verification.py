"""Whether an identity token was signed by its issuer, for this index, and is valid now (OpenID Connect Core 3.1.3.7).

Nothing in the token's header is believed but the name of the key: neither another algorithm, nor a key that it brings,
nor an address where one could be found.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import jwt
from django.conf import settings

from packhouse.publishers import keys
from packhouse.publishers.issuers import issuer_at
from packhouse.publishers.providers.provider import Claims, Issuer

ALGORITHMS: Final = ["RS256"]
LEEWAY: Final = 30
"""Seconds by which clocks may differ."""
REMEMBERED: Final = timedelta(seconds=LEEWAY + 5)
"""For how long after its end a token that was taken is remembered: longer than anybody takes it."""
LONGEST: Final = 16 * 1024
UNREADABLE: Final = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


class MintRefused(Exception):
    """No token is minted.  ``code`` is for programs, ``description`` for whoever runs the job."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def issuer_of(text: str) -> Issuer:
    """Who says to have signed the identity token *text*, which is not verified here.  Raises ``MintRefused``."""
    try:
        if len(text) > LONGEST:
            raise ValueError("too long")
        url = jwt.decode(text, options={"verify_signature": False}).get("iss")
    except UNREADABLE:
        raise MintRefused("invalid-payload", "malformed JWT") from None
    if not isinstance(url, str):
        raise MintRefused("invalid-payload", "malformed JWT")
    issuer = issuer_at(url)
    if issuer is None:
        raise MintRefused("invalid-payload", "unknown trusted publishing issuer")
    return issuer


def verify(text: str, issuer: Issuer) -> Claims:
    """The claims of the identity token *text*, once everything about it is right.  Raises ``MintRefused``."""
    invalid = MintRefused("invalid-token", "malformed or invalid token")
    try:
        kid = jwt.get_unverified_header(text).get("kid")
        key = keys.find(issuer, kid) if isinstance(kid, str) and kid else None
        if key is None:
            raise invalid
        claims: dict[str, Any] = jwt.decode(
            text,
            key,
            algorithms=ALGORITHMS,
            audience=settings.PACKHOUSE.oidc_audience,
            issuer=issuer.url,
            leeway=LEEWAY,
            options={"require": ["iss", "iat", "exp", "aud"], "strict_aud": True},
        )
    except keys.KeysUnavailable:
        raise MintRefused("invalid-token", "the keys of the issuer cannot be had at the moment") from None
    except UNREADABLE:
        raise invalid from None
    if not all(_is_time(claims[name]) for name in ("iat", "exp", "nbf") if name in claims):
        raise invalid
    return claims


def replay_digest(text: str, claims: Claims, issuer: Issuer) -> str:
    """What is remembered of a token: its ``jti``; of one that has none, what is signed of it."""
    named = claims.get("jti")
    told = f"jti\0{named}" if named else f"token\0{text.rpartition('.')[0]}"
    return hashlib.sha256(f"{issuer.url}\0{told}".encode(errors="surrogatepass")).hexdigest()


def remembered_until(claims: Claims) -> datetime:
    return datetime.fromtimestamp(claims["exp"], UTC) + REMEMBERED


def _is_time(value: object) -> bool:
    """Seconds as a whole number, of this era."""
    return type(value) is int and 0 <= value < 2**33
