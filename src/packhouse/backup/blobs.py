"""Copying blobs between the index's store and a backup's."""

import io
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from packhouse.backup.dump import Named
from packhouse.backup.manifest import BackupError
from packhouse.files import BlobConflict, BlobDamaged, BlobNotFound, BlobStore, StoreError

_THREADS, _AT_ONCE = 8, 1000
_CHUNK = 1024**2


@dataclass(slots=True)
class Copied:
    """How many blobs were ``new``, ``known``, ``missing`` or ``damaged``, and the keys of the last two."""

    counts: Counter[str] = field(default_factory=Counter)
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @property
    def new(self) -> int:
        return self.counts["new"]


def copy(blobs: Iterable[Named], source: BlobStore, target: BlobStore, folder: Path) -> Copied:
    """Copy those of *blobs* that *target* lacks; every byte is hashed on its way.  Raises ``BackupError``."""
    copied, remaining = Copied(), iter(blobs)
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="backup") as threads:
        while some := list(islice(remaining, _AT_ONCE)):
            try:
                outcomes = list(threads.map(lambda blob: _copy_one(blob, source, target, folder), some))
            except StoreError as error:
                raise BackupError(str(error)) from error
            for blob, outcome in zip(some, outcomes, strict=True):
                copied.counts[outcome] += 1
                if outcome in {"missing", "damaged"}:
                    getattr(copied, outcome).append(blob.key)
    return copied


def _copy_one(blob: Named, source: BlobStore, target: BlobStore, folder: Path) -> str:
    there = target.size(blob.key)
    if there is not None and blob.size in {None, there}:
        return "known"
    size = source.size(blob.key) if blob.size is None else blob.size
    try:
        with source.open(blob.key) as stream, _with_descriptor(stream, folder) as whole:
            target.put(blob.key, whole, size=size or 0, sha256_hex=blob.sha256)
    except BlobNotFound:
        return "missing"
    except (BlobDamaged, BlobConflict):
        return "damaged"
    return "new"


def _with_descriptor(stream: BinaryIO, folder: Path) -> BinaryIO:
    """*stream* as stores want it: a file of the operating system."""
    try:
        stream.fileno()
    except (OSError, io.UnsupportedOperation):
        held: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by whom it is returned to
        shutil.copyfileobj(stream, held, _CHUNK)
        held.seek(0)
        return held
    return stream
