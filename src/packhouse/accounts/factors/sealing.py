"""Keeping secrets of second factors in the database without trusting its dumps."""

import base64
import hmac

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

_SEALS = b"packhouse.factors.seal.1"
_DIGESTS = b"packhouse.factors.recovery-code.1\0"


def seal(text: str) -> str:
    """*text*, encrypted with a key that is made from the server's."""
    return _fernet().encrypt(text.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """The text that was sealed.  Raises ``cryptography.fernet.InvalidToken`` when none of the server's keys fits."""
    return _fernet().decrypt(sealed.encode("ascii")).decode()


def digests(code: str) -> list[str]:
    """The digests (64 hexadecimal digits) that a recovery code may be stored under: by the present key first."""
    return [hmac.digest(key, _DIGESTS + code.encode(), "sha256").hex() for key in _server_keys()]


def _fernet() -> MultiFernet:
    keys = [base64.urlsafe_b64encode(hmac.digest(key, _SEALS, "sha256")) for key in _server_keys()]
    return MultiFernet([Fernet(key) for key in keys])


def _server_keys() -> list[bytes]:
    return [str(secret).encode() for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
