"""Blobs on this machine's disk."""

import asyncio
import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Self
from urllib.parse import unquote, urlsplit

from packhouse.base.durable import make_folder, sync_folder
from packhouse.files.store import (
    CHUNK,
    BlobConflict,
    BlobInfo,
    BlobNotFound,
    Digests,
    StoreError,
    StoreFull,
    StoreUnavailable,
    chunks_of,
    is_key,
    require_key,
    sha256_of,
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalStore:
    """Blobs as files below *root*; temporary files in ``{root}/.spool``, so that a link never crosses file systems.

    The file's data is on disk before its name is, and its name is on disk before ``put`` returns: a rename or link
    without an fsync of the directory does not survive a power cut.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.spool = root / ".spool"

    @classmethod
    def from_url(cls, url: str) -> Self:
        parts = urlsplit(url)
        if parts.netloc or not parts.path.startswith("/") or parts.query:
            raise ValueError(f"a file store is file:///absolute/path, not {url!r}")
        return cls(Path(unquote(parts.path)))

    def __repr__(self) -> str:
        return f"LocalStore({str(self.root)!r})"

    def put(
        self,
        key: str,
        source: BinaryIO | bytes,
        *,
        size: int,
        sha256_hex: str,
        blake2_hex: str | None = None,
        metadata: Mapping[str, str] | None = None,  # a disk has no place for it
    ) -> bool:
        target = self._path(key)
        digests = Digests(size=size, sha256_hex=sha256_hex, blake2_hex=blake2_hex)
        with _translated(f"cannot store {key}"), self._temporary() as (temporary, file):
            _write(file, source, digests)
            digests.require(key)
            created = self._link(temporary, target)
            if not created and sha256_of(self._chunks(target)) != sha256_hex:
                raise BlobConflict(f"{key} already holds other bytes")
            self._make_name_durable(target, created=created)
        return created

    def open(self, key: str) -> BinaryIO:
        with _translated(f"cannot read {key}", missing=BlobNotFound):
            return self._path(key).open("rb")

    def read(self, key: str) -> bytes:
        with _translated(f"cannot read {key}", missing=BlobNotFound):
            return self._path(key).read_bytes()

    def read_range(self, key: str, start: int, length: int) -> bytes:
        with self.open(key) as blob, _translated(f"cannot read {key}"):
            return os.pread(blob.fileno(), length, start)

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        with await asyncio.to_thread(self.open, key) as blob, _translated(f"cannot read {key}"):
            end = os.fstat(blob.fileno()).st_size if end is None else end
            while start < end and (chunk := await asyncio.to_thread(_pread, blob, start, end)):
                start += len(chunk)
                yield chunk

    def size(self, key: str) -> int | None:
        try:
            return self._path(key).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreUnavailable(f"cannot look at {key}: {error}") from error

    def exists(self, key: str) -> bool:
        return self.size(key) is not None

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _translated(f"cannot delete {key}"), contextlib.suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)
        with contextlib.suppress(OSError):  # not empty: the sidecar is still there
            path.parent.rmdir()

    def iter_keys(self) -> Iterator[BlobInfo]:
        with _translated("cannot list the blobs"):
            for entry in _descend(self.root, 4):
                key = os.path.relpath(entry.path, self.root)
                with contextlib.suppress(FileNotFoundError):
                    stat = entry.stat(follow_symlinks=False)
                    if is_key(key):
                        yield BlobInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))

    def local_path(self, key: str) -> Path | None:
        return self.root / key if is_key(key) else None

    def presigned_url(self, key: str, seconds: int) -> None:
        return None

    def probe(self) -> None:
        marker = os.urandom(32)
        with _translated(f"the file store at {self.root} does not work"), self._temporary() as (temporary, file):
            _write(file, marker)
            linked = temporary.with_suffix(".probe")
            os.link(temporary, linked)
            try:
                sync_folder(self.spool)
                if linked.read_bytes() != marker:
                    raise StoreUnavailable(f"the file store at {self.root} returned other bytes than were written")
            finally:
                linked.unlink()

    def now(self) -> datetime:
        with _translated(f"cannot tell the time of {self.root}"), self._temporary() as (_, file):
            return datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)

    def sweep_temporaries(self, older_than: timedelta) -> int:
        limit = (self.now() - older_than).timestamp()
        removed = 0
        for entry in _descend(self.spool, 1):
            with contextlib.suppress(FileNotFoundError):
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    removed += _remove_unless_written(Path(entry.path))
        return removed

    def _path(self, key: str) -> Path:
        return self.root / require_key(key)

    def _chunks(self, path: Path) -> Iterator[bytes]:
        with path.open("rb") as blob:
            yield from chunks_of(blob)

    @contextlib.contextmanager
    def _temporary(self) -> Iterator[tuple[Path, FileIO]]:
        """A new file in the spool, held by a lock, and its path; whatever is there afterwards is removed."""
        make_folder(self.spool)
        while True:
            temporary = self.spool / secrets.token_hex(16)
            with temporary.open("xb", buffering=0) as file:
                try:
                    if _hold(file):
                        yield temporary, file
                        return
                finally:
                    temporary.unlink(missing_ok=True)

    @staticmethod
    def _link(temporary: Path, target: Path) -> bool:
        """Give the finished file its name unless the name is taken.  A link, unlike a rename, never overwrites."""
        for last in (False, False, True):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(temporary, target)
            except FileExistsError:
                return False
            except FileNotFoundError:  # a deletion has just removed the directory that we found empty
                if last:
                    raise
            else:
                return True
        raise AssertionError("unreachable")

    def _make_name_durable(self, target: Path, *, created: bool) -> None:
        """Sync every directory from the blob up to the root, whoever made it.

        Another writer may have made one of them, or the very link, a moment ago and not have synced it yet.  After a
        failed sync the kernel may call the lost data clean, so the blob goes and nobody tries that sync again.
        """
        try:
            for directory in target.parents[:4]:
                sync_folder(directory)
        except OSError:
            if created:
                target.unlink(missing_ok=True)
            raise


def _hold(file: FileIO) -> bool:
    """Say, for as long as *file* is open, that it is being written; False if a sweep was faster and has removed it.

    Clocks cannot tell: they jump, and a file server has its own.
    """
    with contextlib.suppress(OSError):  # a file system without locks: its files' age must do
        fcntl.flock(file, fcntl.LOCK_EX)
    return os.fstat(file.fileno()).st_nlink > 0


def _remove_unless_written(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            pass
        path.unlink()
    return True


def _write(target: FileIO, source: BinaryIO | bytes, digests: Digests | None = None) -> None:
    """Copy all of *source* to the new file *target*, feeding *digests*, and wait until the disk has it."""
    if not isinstance(source, bytes):
        source.seek(0)
    for chunk in (source,) if isinstance(source, bytes) else chunks_of(source):
        if digests:
            digests.update(chunk)
        view = memoryview(chunk)
        while view:
            view = view[target.write(view) :]
    os.fsync(target.fileno())


def _pread(blob: BinaryIO, start: int, end: int) -> bytes:
    return os.pread(blob.fileno(), min(CHUNK, end - start), start)


def _descend(directory: Path | str, depth: int) -> Iterator[os.DirEntry[str]]:
    """The entries *depth* levels below *directory*, hidden ones left out; a directory that vanishes is empty."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(directory) as entries:
        for entry in entries:
            if depth == 1:
                yield entry
            elif not entry.name.startswith("."):
                yield from _descend(entry.path, depth - 1)


@contextlib.contextmanager
def _translated(doing: str, *, missing: type[StoreError] = StoreUnavailable) -> Iterator[None]:
    """Turn the operating system's errors into the store's; *missing* is what a name that is not there means."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise missing(f"{doing}: {error}") from error
    except OSError as error:
        raise (StoreFull if error.errno in _FULL else StoreUnavailable)(f"{doing}: {error}") from error
