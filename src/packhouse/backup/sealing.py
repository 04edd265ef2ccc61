"""Secrets in a backup: encrypted under a passphrase, or not there at all."""

import hashlib
import json
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from packhouse.backup.manifest import BackupError

_MAGIC = b"packhouse secrets 1\n"
_SALT, _NONCE = 16, 12


def seal(secrets: Mapping[str, str], passphrase: str) -> bytes:
    """*secrets* (file names and contents) under AES-256-GCM, with a key that scrypt makes of *passphrase*."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    plain = json.dumps(dict(secrets)).encode()
    return _MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, _MAGIC)


def unseal(sealed: bytes, passphrase: str) -> dict[str, str]:
    """What was sealed.  Raises ``BackupError`` when *passphrase* is another or *sealed* was changed."""
    body = sealed.removeprefix(_MAGIC)
    salt, nonce, rest = body[:_SALT], body[_SALT : _SALT + _NONCE], body[_SALT + _NONCE :]
    try:
        opened: dict[str, str] = json.loads(AESGCM(_key(passphrase, salt)).decrypt(nonce, rest, _MAGIC))
    except InvalidTag:
        raise BackupError("the passphrase does not open the secrets of this backup") from None
    return opened


def fingerprint(secret_key: str) -> str:
    """Tells whether two keys are the same; a key of the usual strength cannot be found from it."""
    return hashlib.sha256(b"packhouse backup: which secret key\n" + secret_key.encode()).hexdigest()[:32]


def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(passphrase.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=64 * 1024**2, dklen=32)
