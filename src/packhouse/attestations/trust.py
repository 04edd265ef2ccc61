"""The trusted root: which certificates and keys signatures must lead back to.

That of Sigstore's public installation comes with the library; an operator may name a file of their own instead.
Nothing here asks another machine.
"""

from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from sigstore.models import TrustedRoot
from sigstore.verify import Verifier

_PUBLIC: Final = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev"


class TrustUnavailable(RuntimeError):
    """The trusted root cannot be read; it is not the attestation's fault."""


def public_root() -> Path:
    """Where the library keeps the trusted root of Sigstore's public installation."""
    return Path(str(files("sigstore") / "_store" / _PUBLIC / "trusted_root.json"))


def verifier(path: str) -> Verifier:
    """What verifies by the trusted root in the file *path*, or by the public one where that is empty.

    The file is read again once it has changed.  Raises ``TrustUnavailable``.
    """
    file = Path(path) if path else public_root()
    try:
        stat = file.stat()
        return _verifier(str(file), stat.st_mtime_ns, stat.st_size)
    except Exception as error:
        raise TrustUnavailable(f"the trusted root {file} cannot be used: {error}") from error


@lru_cache(maxsize=2)
def _verifier(path: str, _changed: int, _size: int) -> Verifier:
    return Verifier(trusted_root=TrustedRoot.from_file(path))
