"""Links in letters: what they carry is signed, so nothing is stored for them.

A link names the state of the account for which it was made (its ``session_epoch``, an address and its row, …).  Whoever
follows it runs one conditional write on that state, which succeeds once: the write itself changes the state, or asks
for what it takes away.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.urls import reverse

VERIFY: Final = "email-verify"
RESET: Final = "password-reset"
RESTORE: Final = "account-restore"
LIFETIMES: Final = {VERIFY: timedelta(hours=6), RESET: timedelta(hours=6)}
"""How long links work.  That of ``RESTORE`` follows from the setting ``account_restore_days``."""


def sign(purpose: str, **payload: Any) -> str:
    """A text that carries *payload* for *purpose*, and when it was made."""
    return signing.dumps(payload, salt=f"packhouse.accounts.{purpose}", compress=True)


def read(purpose: str, token: str) -> dict[str, Any] | None:
    """What ``sign`` was given for that purpose; None for anything else, and for what is too old."""
    try:
        payload: dict[str, Any] = signing.loads(token, salt=f"packhouse.accounts.{purpose}", max_age=_lifetime(purpose))
    except signing.BadSignature:
        return None
    return payload


def _lifetime(purpose: str) -> timedelta:
    return LIFETIMES.get(purpose) or timedelta(days=settings.PACKHOUSE.account_restore_days)


def address(route: str, token: str) -> str:
    """The link itself: the route *route*, on the address that people use."""
    return f"{settings.PACKHOUSE.public_url}{reverse(route)}?{urlencode({'token': token})}"


def new_secret() -> str:
    """256 random bits, for links and cookies of which only the digest is stored."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hours(purpose: str) -> int:
    """How long links for *purpose* work."""
    return int(_lifetime(purpose).total_seconds() // 3600)
