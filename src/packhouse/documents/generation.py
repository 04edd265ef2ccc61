"""How a process learns, for next to nothing, that some document has changed.

One small file in the home, mapped by every process of the machine.  A writer puts a new random mark into it after each
commit, before it answers; a reader compares eight bytes of memory and asks the database only when they differ.  A mark
is random, not a count, so that two writers cannot write the same one.  A mark that was never written (its writer was
killed between commit and answer, or runs on another machine) is made good by the readers' poll.
"""

import mmap
import os
from pathlib import Path

_SIZE = 8


class Generation:
    """The mapped mark at *path*.  Reading it is a slice of memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(fd).st_size < _SIZE:
                os.ftruncate(fd, _SIZE)
            self._map = mmap.mmap(fd, _SIZE)
        finally:
            os.close(fd)

    def read(self) -> bytes:
        return self._map[:_SIZE]

    def bump(self) -> None:
        self._map[:_SIZE] = os.urandom(_SIZE)


_open: dict[Path, Generation] = {}


def of(home: Path) -> Generation:
    """The mark of the index whose home is *home*."""
    path = home / "run" / "generation"
    if path not in _open:
        _open[path] = Generation(path)
    return _open[path]
