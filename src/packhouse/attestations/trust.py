"""The trusted root: which certificates and keys signatures must lead back to.

That of Sigstore's public installation comes with the library; an operator may name a file of their own instead, or have
the public one brought up to date (``updates``).  Nothing here asks another machine.
"""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from sigstore.models import TrustedRoot
from sigstore.verify import Verifier
from sigstore_models.trustroot import v1

PUBLIC: Final = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"
"""How the library's folder for Sigstore's public installation is called."""


class TrustUnavailable(RuntimeError):
    """The trusted root cannot be read; it is not the attestation's fault."""


def public_root() -> Path:
    """Where the library keeps the trusted root of Sigstore's public installation."""
    return Path(str(files("sigstore") / "_store" / PUBLIC / "trusted_root.json"))


def verifier(source: str | bytes) -> Verifier:
    """What verifies by the trusted root *source*: its text, the path of its file, or nothing for the public one.

    A file is read again once it has changed.  Raises ``TrustUnavailable``.
    """
    try:
        if isinstance(source, bytes):
            return _of_text(source)
        file = Path(source) if source else public_root()
        stat = file.stat()
        return _of_file(str(file), stat.st_mtime_ns, stat.st_size)
    except Exception as error:
        named = "that was fetched" if isinstance(source, bytes) else source or public_root()
        raise TrustUnavailable(f"the trusted root {named} cannot be used: {error}") from error


@lru_cache(maxsize=2)
def _of_file(path: str, _changed: int, _size: int) -> Verifier:
    return _of_text(Path(path).read_bytes())


@lru_cache(maxsize=2)
def _of_text(text: bytes) -> Verifier:
    return Verifier(trusted_root=TrustedRoot(v1.TrustedRoot.from_json(text)))
