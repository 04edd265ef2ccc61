"""Where backups lie."""

import hashlib
from pathlib import Path
from typing import Self
from urllib.parse import quote, urlsplit, urlunsplit

from packhouse import files
from packhouse.backup.manifest import BackupError, Manifest
from packhouse.files import BlobStore, StoreError, key_for

_SUFFIX = ".manifest.json"


class Target:
    """A folder or bucket: ``blobs`` holds the index's files under their own keys, ``snapshots`` everything else.

    Both are blob stores, so that everything is written once, checked while it is written, and durable.
    """

    def __init__(self, blobs: BlobStore, snapshots: BlobStore) -> None:
        self.blobs = blobs
        self.snapshots = snapshots

    @classmethod
    def at(cls, place: str) -> Self:
        """The target at *place*: a folder's path, ``file:///path`` or ``s3://bucket/prefix?…``.

        Raises ``BackupError`` for any other.
        """
        url = place if "://" in place else f"file://{quote(str(Path(place).absolute()))}"
        try:
            return cls(files.from_url(_below(url, "blobs")), files.from_url(_below(url, "snapshots")))
        except ValueError as error:
            raise BackupError(str(error)) from error

    def names(self) -> dict[str, str]:
        """The key of each snapshot's manifest by the snapshot's name, oldest first."""
        try:
            keys = [info.key for info in self.snapshots.iter_keys() if info.key.endswith(_SUFFIX)]
        except StoreError as error:
            raise BackupError(str(error)) from error
        return dict(sorted((key.rpartition("/")[2].removesuffix(_SUFFIX), key) for key in keys))

    def manifest(self, name: str = "") -> Manifest:
        """The manifest of the snapshot *name*, or of the newest.  Raises ``BackupError``."""
        names = self.names()
        if not names:
            raise BackupError("there is no complete backup here")
        name = name or list(names)[-1]
        if name not in names:
            raise BackupError(f"there is no backup {name} here; there are {', '.join(names)}")
        data = self.snapshots.read(names[name])
        if key_for(_blake2(data), name + _SUFFIX) != names[name]:
            raise BackupError(f"the manifest of {name} is damaged")
        return Manifest.decode(data)

    def add(self, manifest: Manifest) -> None:
        """Store *manifest*: from now on the backup is complete."""
        data = manifest.encode()
        key = key_for(_blake2(data), manifest.name + _SUFFIX)
        self.snapshots.put(key, data, size=len(data), sha256_hex=hashlib.sha256(data).hexdigest())


def _blake2(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=32).hexdigest()


def _below(url: str, folder: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{folder}"))
