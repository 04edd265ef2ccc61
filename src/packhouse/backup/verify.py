"""Looking at a backup without restoring it."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from packhouse.backup import parts, postgresql, sqlite
from packhouse.backup.dump import Named, from_lines
from packhouse.backup.manifest import BackupError, Manifest
from packhouse.backup.target import Target
from packhouse.files import BlobNotFound, BlobStore, StoreError

_THREADS, _AT_ONCE, _CHUNK = 4, 1000, 1024**2


@dataclass(slots=True)
class Verdict:
    """What was looked at, and what is wrong; a backup is good when ``problems`` is empty."""

    manifest: Manifest
    blobs: int = 0
    problems: list[str] = field(default_factory=list)


def verify(target: Target, folder: Path, *, name: str = "") -> Verdict:
    """Read all of the snapshot *name* (the newest): database, list and every blob.  *folder* holds the database once.

    Raises ``BackupError`` where there is no such backup.
    """
    verdict = Verdict(target.manifest(name))
    manifest = verdict.manifest
    engine = postgresql if manifest.engine == "postgresql" else sqlite
    known_to_miss = set(manifest.missing)
    verdict.problems += [f"{key}: the index had lost it before this backup" for key in manifest.missing]
    try:
        engine.check(manifest, target.snapshots, folder)
        if manifest.secrets:
            b"".join(parts.read(manifest.secrets, target.snapshots))
        listed = from_lines(parts.lines(parts.read(manifest.blobs, target.snapshots)))
        with ThreadPoolExecutor(_THREADS) as threads:
            while some := list(islice(listed, _AT_ONCE)):
                verdict.blobs += len(some)
                wanted = [blob for blob in some if blob.key not in known_to_miss]
                verdict.problems += filter(None, threads.map(lambda blob: _problem(blob, target.blobs), wanted))
    except (BackupError, StoreError) as error:
        verdict.problems.append(str(error))
    return verdict


def _problem(blob: Named, store: BlobStore) -> str:
    digest = hashlib.sha256()
    try:
        with store.open(blob.key) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except BlobNotFound:
        return f"{blob.key}: missing"
    return "" if digest.hexdigest() == blob.sha256 else f"{blob.key}: other bytes than recorded"
