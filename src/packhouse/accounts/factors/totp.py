"""Codes of authenticator apps: TOTP (RFC 6238) with SHA-1, six digits, steps of 30 seconds.  Pure Python."""

import base64
import hmac
import secrets
from typing import Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.hotp import HOTP

DIGITS: Final = 6
PERIOD: Final = 30
TOLERANCE: Final = 1
"""How many steps a clock may be off."""
NOTICED_DRIFT: Final = 10
"""How many steps off a clock is recognized as wrong, which is told when an app is set up."""
SECRET_BYTES: Final = 20


def new_secret() -> str:
    """A secret of 160 bits in base32, as apps take it."""
    return base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def matching_step(secret: str, code: str, now: float, tolerance: int = TOLERANCE) -> int | None:
    """The time step around *now* (seconds since the epoch) whose code is *code*, the nearest first; None for none.

    Spaces between the digits do not count; anything but ASCII digits is no code.  Compares in constant time.
    """
    digits = "".join(code[:32].split(" "))
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        return None
    generator = HOTP(base64.b32decode(secret), DIGITS, SHA1(), enforce_key_length=False)  # noqa: S303 (RFC 6238)
    present = int(now) // PERIOD
    steps = sorted(range(present - tolerance, present + tolerance + 1), key=lambda step: abs(step - present))
    matches = [step for step in steps if hmac.compare_digest(generator.generate(max(step, 0)), digits.encode())]
    return matches[0] if matches else None


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """The ``otpauth:`` address that apps read from a QR code."""
    query = urlencode({"secret": secret, "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?{query}"
