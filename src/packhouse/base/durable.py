"""Names that a power cut leaves where they are: to sync a file keeps what is in it, not how it is called (fsync(2))."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

AT_ONCE: Final = 8
"""Files that are synced at the same time: file systems write for all of them at once."""


def sync_files(files: Sequence[Path]) -> None:
    """Wait until the disk has what is in *files*, which are closed.  Raises ``OSError``."""
    if len(files) <= 1:
        for file in files:
            _sync(file, os.O_RDONLY)
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(files))) as threads:
        list(threads.map(lambda file: _sync(file, os.O_RDONLY), files))


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in *folder*.  Raises ``OSError``."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make *folder* and those above it that are missing, for good; *mode* is its own alone.  Raises ``OSError``."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=mode, exist_ok=True)
    sync_folder(folder.parent)
