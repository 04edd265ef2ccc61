"""Where fetched pictures are kept: a folder of bounded size, in which the oldest give way.

A file's first line is JSON (``kind``, ``until``, ``size`` in bytes); the picture follows.
A file without a kind is a refusal.
"""

import hashlib
import json
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packhouse.base import clock

TIDY_EVERY: Final = 50
"""Files written by this process between two looks at the size of the folder."""
ROOM_LEFT: Final = 0.8


@dataclass(frozen=True, slots=True)
class Kept:
    """A picture, or, without a ``kind``, the knowledge that there is none; good until a moment in Unix time."""

    kind: str
    data: bytes
    until: int

    @property
    def is_fresh(self) -> bool:
        return clock.now().timestamp() < self.until


class Shelf:
    """The folder, of at most *room* bytes and a little more."""

    def __init__(self, folder: Path, room: int) -> None:
        self.folder = folder
        self.room = room
        self._written = 0
        self._tidying = threading.Lock()

    def get(self, url: str) -> Kept | None:
        """What is kept of *url*, fresh or not."""
        try:
            head, _, data = self._path(url).read_bytes().partition(b"\n")
            told = json.loads(head)
            if len(data) != told["size"]:  # the power was cut before the disk had all of it
                return None
            return Kept(str(told["kind"]), data, int(told["until"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, url: str, kept: Kept) -> None:
        """Keeps it, as well as that is possible: a full disk costs no answer."""
        path = self._path(url)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
                told = {"kind": kept.kind, "until": kept.until, "size": len(kept.data)}
                draft.write(json.dumps(told).encode() + b"\n" + kept.data)
            Path(draft.name).replace(path)
        self._written += 1
        if self._written % TIDY_EVERY == 0:
            self.tidy()

    def tidy(self) -> None:
        """Deletes the oldest files where there are too many bytes; one thread at a time."""
        if not self._tidying.acquire(blocking=False):
            return
        try:
            self._make_room()
        finally:
            self._tidying.release()

    def _make_room(self) -> None:
        files = []
        for path in self.folder.glob("*/*"):
            with suppress(OSError):  # another process was quicker
                about = path.stat()
                files.append((about.st_mtime_ns, about.st_size, path))
        total = sum(size for _, size, _ in files)
        if total <= self.room:
            return
        for _, size, path in sorted(files, key=lambda file: file[0]):
            with suppress(OSError):
                path.unlink()
            total -= size
            if total <= self.room * ROOM_LEFT:
                return

    def _path(self, url: str) -> Path:
        name = hashlib.sha256(url.encode()).hexdigest()
        return self.folder / name[:2] / name[2:]
