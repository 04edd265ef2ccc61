"""Root keys: what signs a token, made from the server's key and the row's salt, never stored."""

import hmac

from django.conf import settings

_PURPOSE = b"packhouse.tokens.root-key.1\0"


def root_keys(salt: bytes) -> list[bytes]:
    """The keys (32 bytes each) that may have signed the token with *salt*: the present one first."""
    return [_derive(secret, salt) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _derive(secret: str | bytes, salt: bytes) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, _PURPOSE + salt, "sha256")
