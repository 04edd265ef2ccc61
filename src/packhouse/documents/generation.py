"""How a process learns, for next to nothing, that some document has changed.

One small file in the home, mapped by every process of the machine.  A writer puts a new random mark into it after each
commit, before it answers; a reader compares eight bytes of memory and asks the database only when they differ.  A mark
is random, not a count, so that two writers cannot write the same one.  A mark that was never written (its writer was
killed between commit and answer, or runs on another machine) is made good by the readers' poll.

Behind the mark stand the keys of the documents that were changed last, one after the other, the newest over the oldest.
A reader whose database goes away before it could ask what has changed finds there what it must not show any more.
"""

import fcntl
import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = 8
_HEAD = 16
"""The mark, and how many bytes of keys were ever told."""
_ROOM = 256 * 1024
"""Bytes for keys: those of some thousand changes."""
_MOST = _ROOM // 2
"""Bytes that are read at once, and that are told at once: what is being written is never what is being read."""
_END = b"\n"


class Generation:
    """The mapped mark at *path*.  Reading it is a slice of memory."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._file).st_size < _HEAD + _ROOM:
            _allocate(self._file, _HEAD + _ROOM)
        self._map = mmap.mmap(self._file, _HEAD + _ROOM)
        self._lock = threading.Lock()

    def read(self) -> bytes:
        return self._map[:_MARK]

    def bump(self, *keys: str) -> None:
        """Move the mark; *keys* are the documents that have changed."""
        if keys:
            with self._alone():
                self._tell(b"".join(key.encode() + _END for key in keys))
        self._map[:_MARK] = os.urandom(_MARK)

    def told(self) -> int:
        """How far the keys go that were told until now."""
        return int.from_bytes(self._map[_MARK:_HEAD], "little")

    def told_since(self, place: int) -> tuple[list[str] | None, int]:
        """The keys that were told after ``told`` was *place*, None where they are too many, and where they end."""
        end = self.told()
        ring, first = self._map[_HEAD:], place % _ROOM
        told = (ring[first:] + ring[:first])[: end - place]
        if self.told() - place > _MOST:
            return None, end
        return [key.decode() for key in told.split(_END)[:-1]], end

    def _tell(self, keys: bytes) -> None:
        """The last of *keys*, where they are too many: so are they for every reader."""
        end = self.told() + len(keys)
        kept = keys[-_MOST:]
        first = (end - len(kept)) % _ROOM
        until_end = kept[: _ROOM - first]
        self._map[_HEAD + first : _HEAD + first + len(until_end)] = until_end
        self._map[_HEAD : _HEAD + len(kept) - len(until_end)] = kept[len(until_end) :]
        self._map[_MARK:_HEAD] = end.to_bytes(_HEAD - _MARK, "little")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other thread and no other process of this machine tells anything; the lock goes with its holder."""
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _allocate(file: int, size: int) -> None:
    """Give *file* its *size*, and room: where a disk is full, who writes into a hole of a mapped file is killed."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:  # macOS
        os.ftruncate(file, size)


_open: dict[Path, Generation] = {}


def of(home: Path) -> Generation:
    """The mark of the index whose home is *home*."""
    path = home / "run" / "generation"
    if path not in _open:
        _open[path] = Generation(path)
    return _open[path]
