"""What a blob store promises, whoever keeps the bytes, and what can go wrong."""

import hashlib
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

CHUNK = 1024 * 1024

# 255 bytes is what file systems allow one name; a leading dot never starts a distribution's name but does start
# the stores' own temporary names.
_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{60}/[^./\\\x00-\x1f][^/\\\x00-\x1f]*", re.ASCII)


class StoreError(Exception):
    """Base of everything that a blob store raises about the store, as opposed to the caller's mistakes."""


class StoreFull(StoreError):
    """There is no room left (disk, quota); nothing was stored.  The answer to an uploader is 507."""


class StoreUnavailable(StoreError):
    """The store did not do its work for another reason; nothing is promised to be stored.  An uploader gets a 503."""


class BlobNotFound(StoreError):
    """No blob has this key."""


class BlobConflict(StoreError):
    """The key already holds other bytes; they stay (write-once)."""


class BlobDamaged(StoreError):
    """The bytes handed in are not those that their size and digests announced."""


class BlobInfo(NamedTuple):
    """One blob as a sweep sees it: its key, its size in bytes, and when it was stored (aware, UTC)."""

    key: str
    size: int
    modified: datetime


class BlobStore(Protocol):
    """Bytes under write-once keys.

    Every method may raise ``StoreUnavailable``; a malformed key is a ``ValueError``.
    """

    def put(
        self,
        key: str,
        source: BinaryIO | bytes,
        *,
        size: int,
        sha256_hex: str,
        blake2_hex: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> bool:
        """Store *source* under *key*, durably: when this returns, a power cut loses nothing.

        *source* is read from its beginning, through the file descriptor that it already has; *size* and the digests
        are checked against the bytes really stored (``BlobDamaged``).  *metadata* is kept beside the object where the
        store has a place for it.  Returns True when the blob is new and False when the very same bytes were there
        before; other bytes under the key raise ``BlobConflict``.  Raises ``StoreFull`` when there is no room.
        """
        ...

    def open(self, key: str) -> BinaryIO:
        """A readable, seekable stream of the blob, for the caller to close.  Raises ``BlobNotFound``."""
        ...

    def read(self, key: str) -> bytes:
        """The whole blob.  Raises ``BlobNotFound``."""
        ...

    def read_range(self, key: str, start: int, length: int) -> bytes:
        """At most *length* bytes from offset *start*.  Raises ``BlobNotFound``."""
        ...

    def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from *start* up to, not including, *end* (None: to the last), in chunks, without a thread held."""
        ...

    def size(self, key: str) -> int | None:
        """Size in bytes; None when there is no such blob."""
        ...

    def exists(self, key: str) -> bool: ...

    def delete(self, key: str) -> None:
        """Remove the blob; a blob that is not there is no error."""
        ...

    def iter_keys(self) -> Iterator[BlobInfo]:
        """Every blob, streaming, in no promised order; what comes and goes meanwhile may or may not be seen."""
        ...

    def local_path(self, key: str) -> Path | None:
        """Where the blob is (or would be) on this machine's disk; None for a remote store or a malformed key."""
        ...

    def presigned_url(self, key: str, seconds: int) -> str | None:
        """A URL that lets its holder GET the blob for *seconds*; None where the store has no such thing."""
        ...

    def probe(self) -> None:
        """Write, read back and delete a marker; raises ``StoreError`` that says what is wrong and with which store."""
        ...

    def now(self) -> datetime:
        """The time (aware, UTC) by the clock that says when a blob was stored; that of this machine may differ."""
        ...

    def sweep_temporaries(self, older_than: timedelta) -> int:
        """Remove what crashed writers left behind longer ago than *older_than*; returns how many.

        Takes nothing from a writer that is at work, whatever this machine's clock says.
        """
        ...


def key_for(blake2_hex: str, filename: str) -> str:
    """The key of the file *filename* whose BLAKE2b-256 is *blake2_hex* (64 hex digits).  Raises ``ValueError``."""
    return require_key(f"{blake2_hex[:2]}/{blake2_hex[2:4]}/{blake2_hex[4:]}/{filename}")


def is_key(key: str) -> bool:
    """Whether *key* has the shape of a blob's key; anything else (``..``, absolute paths) never reaches a store."""
    return _KEY.fullmatch(key) is not None and len(key.rpartition("/")[2].encode()) <= 255


def require_key(key: str) -> str:
    if not is_key(key):
        raise ValueError(f"not a blob key: {key!r}")
    return key


class Digests:
    """Counts and hashes bytes on their way and tells whether they are the announced ones."""

    def __init__(self, *, size: int, sha256_hex: str, blake2_hex: str | None) -> None:
        self.expected = (size, sha256_hex, blake2_hex)
        self._size = 0
        self._sha256 = hashlib.sha256()
        self._blake2 = hashlib.blake2b(digest_size=32) if blake2_hex else None

    def update(self, chunk: bytes | memoryview) -> None:
        self._size += len(chunk)
        self._sha256.update(chunk)
        if self._blake2:
            self._blake2.update(chunk)

    def require(self, key: str) -> None:
        """Raises ``BlobDamaged`` unless size and digests are the announced ones."""
        found = (self._size, self._sha256.hexdigest(), self._blake2.hexdigest() if self._blake2 else None)
        if found != self.expected:
            raise BlobDamaged(f"{key}: announced (size, SHA-256, BLAKE2) {self.expected}, received {found}")


def sha256_of(chunks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def chunks_of(source: BinaryIO) -> Iterator[bytes]:
    """The bytes of *source* from where it stands, in chunks of 1 MiB."""
    while chunk := source.read(CHUNK):
        yield chunk
