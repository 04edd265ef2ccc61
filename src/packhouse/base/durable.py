"""Names that a power cut leaves where they are: to sync a file keeps what is in it, not how it is called (fsync(2))."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Wait until the disk has the names in *folder*.  Raises ``OSError``."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
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
