"""Which lanes of this machine live: each holds the lock of a file in the home for as long as it does.

However a process ends, the system lets go of its locks.  So the next lane knows at once which ones are gone, whoever
started them, and what they held need not wait until its lease runs out.  Lanes of other machines are none of its
business: the home may lie where locks are known to each machine alone.
"""

import fcntl
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_HERE = f"{socket.gethostname()[:64]}-"


def new_name() -> str:
    """A name for a lane of this machine, unlike that of any other lane ever."""
    return _HERE + secrets.token_hex(8)


def enrol(home: Path, name: str) -> BinaryIO:
    """Let others know that the lane *name* lives, until the returned file is closed: by the end of the process."""
    folder = _folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / name).open("wb")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def departed(home: Path) -> Iterator[str]:
    """The names of this machine's lanes that are gone.  Each is forgotten once the caller comes back for the next."""
    for path in sorted(_folder(home).iterdir()):
        if path.name.startswith(_HERE) and _is_free(path):
            yield path.name
            path.unlink(missing_ok=True)


def _is_free(path: Path) -> bool:
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _folder(home: Path) -> Path:
    return home / "run" / "lanes"
