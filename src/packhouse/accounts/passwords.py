"""Passwords: how they are kept, and which are refused.

Kept as argon2id (RFC 9106) with the parameters of the OWASP password storage guide.  Refused when short, when among the
most common, when zxcvbn guesses them too quickly, and when known from a breach.
"""

import hashlib
import re
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from functools import cache
from typing import Final

import structlog
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    check_password,
    identify_hasher,
    is_password_usable,
)
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from packhouse.accounts.models import User
from packhouse.base import metrics

LONGEST: Final = 4096
ESTIMATED: Final = 72
"""Characters that zxcvbn looks at: its time grows with more than the length.  The rest can only make it better."""
LEAST_SCORE: Final = 2
PATIENCE: Final = 1.0
"""Seconds in which the breach check has to answer; without an answer a password passes."""
NO_PASSWORD: Final = "!"

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Argon2id(Argon2PasswordHasher):
    """19 MiB, two passes, one lane: a sign-in costs what a page costs, and eight at once do not exhaust the memory."""

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1


class StrengthValidator:
    """Refuses what zxcvbn would guess in less than 10^6 tries, given the user's names."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        from zxcvbn import zxcvbn  # noqa: PLC0415 (reads its lists of words; commands start without them)

        if not password:
            return
        texts = [getattr(user, name, "") for name in ("username", "name", "email")]
        known = [word for text in texts for word in (text, *re.split(r"\W+", text)) if word]
        result = zxcvbn(password[:ESTIMATED], user_inputs=known)
        if result["score"] < LEAST_SCORE:
            raise ValidationError(
                _("This password is too easy to guess. Use several words that do not belong together."), "too-weak"
            )

    def get_help_text(self) -> str:
        return _("Your password must not be easy to guess.")


class BreachValidator:
    """Refuses what the service of the setting ``breach_check`` knows from a breach."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if is_breached(password):
            raise ValidationError(
                _("This password is known from a breach of another site. Choose another one."), "breached"
            )

    def get_help_text(self) -> str:
        return _("Your password must not be known from a breach.")


def matches(user: User | None, password: str) -> bool:
    """Whether *password* is the user's.  Takes as long for nobody, and for a user without a password."""
    encoded = user.password if user and len(password) <= LONGEST else NO_PASSWORD
    return check_password(password[:LONGEST], encoded)


def is_outdated(encoded: str) -> bool:
    """Whether a hash should be made anew, because what it costs has changed."""
    return is_password_usable(encoded) and identify_hasher(encoded).must_update(encoded)


def is_compromised(password: str) -> bool:
    """Whether *password* is among the most common or known from a breach."""
    return password.lower().strip() in _common() or is_breached(password)


def is_breached(password: str) -> bool:
    """Asks the range API: it is sent five hexadecimal digits of the SHA-1.  No answer in time counts as no."""
    service = settings.PACKHOUSE.breach_check
    if service == "none://":
        return False
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    try:
        # a thread, because the time-out of a socket starts anew with each byte
        answer = _threads().submit(_ask, f"{service.rstrip('/')}/range/{digest[:5]}").result(timeout=PATIENCE)
    except (OSError, TookTooLong, ValueError) as error:
        metrics.count("packhouse_upstream_errors", "breach-check")
        log.warning("breach-check-failed", error=type(error).__name__)
        return False
    return any(line.partition(":")[0] == digest[5:] and not line.endswith(":0") for line in answer.upper().split())


def probe_breach_check() -> str:
    """Asks the range API about a hash of nobody's; raises ``OSError`` or ``ValueError`` where it does not answer."""
    _ask(f"{settings.PACKHOUSE.breach_check.rstrip('/')}/range/00000")
    return ""


def _ask(url: str) -> str:
    request = urllib.request.Request(url, headers={"Add-Padding": "true", "User-Agent": "packhouse"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:  # noqa: S310 (http or https, by the setting)
        body: bytes = response.read(2**20)
    return body.decode("ascii")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="breach-check")


@cache
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)
