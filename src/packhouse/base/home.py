"""The home: the one folder that an installation lives in.

``secrets/`` holds what nobody else may read (folder 0700, files 0600), ``run/`` what the running processes tell each
other; it may be deleted while nothing runs.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from packhouse.base.durable import make_folder, sync_folder

SECRET_KEY = "secret-key"
SETUP_TOKEN = "setup-token"
ADDRESS = "address"


def prepare(home: Path) -> None:
    """Makes the folders and the secrets that are missing.  Two processes may do so at once.

    Raises ``OSError`` when the home cannot be written.
    """
    for folder, mode in ((home, 0o777), (home / "secrets", 0o700), (home / "run", 0o750)):
        make_folder(folder, mode)
    if not os.access(home, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write in {home}")
    keep_secret(home, SECRET_KEY, secrets.token_hex(32))


def keep_secret(home: Path, name: str, fresh: str) -> str:
    """The secret *name*; *fresh* becomes it when there is none yet.

    The file appears whole or not at all, and whoever comes second gets what the first one wrote.
    """
    path = home / "secrets" / name
    if not path.exists():
        draft = _draft(path, fresh)
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        sync_folder(path.parent)
    return path.read_text(encoding="ascii").strip()


def remember_address(home: Path, public_url: str) -> None:
    """Note where people reach this index, for commands that are not told."""
    path = home / "run" / ADDRESS
    _draft(path, public_url).replace(path)


def last_address(home: Path) -> str:
    """The public URL of the last ``serve`` on this home; empty when there was none."""
    with suppress(FileNotFoundError):
        return (home / "run" / ADDRESS).read_text(encoding="utf-8").strip()
    return ""


def new_setup_token(home: Path) -> str:
    """A fresh token for the page that makes the first administrator; those given out before are void.

    Only its digest is kept.
    """
    token = secrets.token_urlsafe(32)
    path = home / "secrets" / SETUP_TOKEN
    _draft(path, _digest(token)).replace(path)
    return token


def is_setup_token(home: Path, token: str) -> bool:
    """Whether *token* is the one given out last."""
    try:
        kept = (home / "secrets" / SETUP_TOKEN).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return False
    return hmac.compare_digest(kept, _digest(token))


def forget_setup_token(home: Path) -> None:
    """No token opens the set-up page any more."""
    (home / "secrets" / SETUP_TOKEN).unlink(missing_ok=True)


def replace_file(path: Path, text: str, mode: int) -> None:
    """Write *text* to *path*: the file is replaced whole, and on disk before it is."""
    draft = _draft(path, text.removesuffix("\n"))
    draft.chmod(mode)
    draft.replace(path)
    sync_folder(path.parent)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _draft(path: Path, text: str) -> Path:
    """A new file beside *path* that holds *text*, on disk, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    return draft
