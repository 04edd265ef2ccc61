"""Blobs in an S3 bucket, or in anything that speaks S3."""

import contextlib
import io
import logging
import mmap
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Self, cast
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import S3Store as Bucket

from packhouse.files.store import (
    CHUNK,
    BlobConflict,
    BlobInfo,
    BlobNotFound,
    Digests,
    StoreError,
    StoreFull,
    StoreUnavailable,
    is_key,
    require_key,
    sha256_of,
)

log = logging.getLogger(__name__)

_PARAMETERS = {
    "endpoint",
    "region",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "virtual_hosted_style_request",
}
_FULL = ("StorageFull", "QuotaExceeded", "507 Insufficient Storage", "EntityTooLarge")
_SPOOL = ".spool/"


class S3Store:
    """Blobs as objects of *bucket* below *prefix*.

    Credentials come from the usual ``AWS_…`` variables (or the machine's role), or from *options*; they are never
    shown.  Up to ``single_put_limit`` bytes go in one conditional PUT (``If-None-Match: *``, with a SHA-256 that S3
    checks).  Larger files go in parts to a temporary key and from there, conditionally and inside S3, to their own;
    such an object carries no user metadata, because that copy does not take it along, and is 5 GiB at most.
    """

    single_put_limit = 64 * 1024**2

    def __init__(self, bucket: str, prefix: str = "", **options: Any) -> None:
        self.bucket = bucket
        self.prefix = prefix.strip("/")
        self._options = options
        self._create_mode = "create"
        self._store = self._connected(checksum_algorithm="SHA256")

    @classmethod
    def from_url(cls, url: str) -> Self:
        """``s3://bucket[/prefix]``; parameters: endpoint, region and credentials.  Raises ``ValueError``."""
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        if unknown := options.keys() - _PARAMETERS:
            raise ValueError(f"unknown parameter of an S3 store: {', '.join(sorted(unknown))}")
        if not parts.netloc or "@" in parts.netloc:
            raise ValueError("an S3 store is s3://bucket[/prefix][?endpoint=…&region=…]")
        return cls(parts.netloc, parts.path, **options)

    def __repr__(self) -> str:
        return f"S3Store({self.bucket!r}, {self.prefix!r})"

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
        require_key(key)
        digests = Digests(size=size, sha256_hex=sha256_hex, blake2_hex=blake2_hex)
        with _translated(f"cannot store {key} in {self!r}"), _in_view(source) as view:
            for offset in range(0, len(view), CHUNK):
                digests.update(view[offset : offset + CHUNK])
            digests.require(key)
            if self._create_mode == "overwrite" and self.exists(key):
                return self._same(key, size, sha256_hex)
            try:
                self._create(key, view, {"sha256": sha256_hex, **(metadata or {})})
            except AlreadyExistsError:
                return self._same(key, size, sha256_hex)
        return True

    def open(self, key: str) -> BinaryIO:
        size = self.size(key)
        if size is None:
            raise BlobNotFound(f"{key} is not in {self!r}")
        return cast("BinaryIO", io.BufferedReader(_RangeReader(self, key, size), CHUNK))

    def read(self, key: str) -> bytes:
        with _translated(f"cannot read {key} from {self!r}"):
            return bytes(obstore.get(self._store, require_key(key)).bytes())

    def read_range(self, key: str, start: int, length: int) -> bytes:
        size = self.size(key)
        if size is None:
            raise BlobNotFound(f"{key} is not in {self!r}")
        length = min(length, size - start)
        if length <= 0:  # HTTP has no empty range
            return b""
        with _translated(f"cannot read {key} from {self!r}"):
            return bytes(obstore.get_range(self._store, key, start=start, length=length))

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        require_key(key)
        if end is not None and end <= start:
            return
        span = {"offset": start} if end is None else (start, end)
        with _translated(f"cannot read {key} from {self!r}"):
            options: Any = {} if (start, end) == (0, None) else {"range": span}
            answer = await obstore.get_async(self._store, key, options=options)
            async for chunk in answer.stream(min_chunk_size=CHUNK):
                yield bytes(chunk)

    def size(self, key: str) -> int | None:
        try:
            with _translated(f"cannot look at {key} in {self!r}"):
                return obstore.head(self._store, require_key(key))["size"]
        except BlobNotFound:
            return None

    def exists(self, key: str) -> bool:
        return self.size(key) is not None

    def delete(self, key: str) -> None:
        with _translated(f"cannot delete {key} from {self!r}"), contextlib.suppress(FileNotFoundError, NotFoundError):
            obstore.delete(self._store, require_key(key))

    def iter_keys(self) -> Iterator[BlobInfo]:
        with _translated(f"cannot list {self!r}"):
            for batch in obstore.list(self._store, chunk_size=1000):
                for item in batch:
                    if is_key(item["path"]):
                        yield BlobInfo(item["path"], item["size"], item["last_modified"])

    def local_path(self, key: str) -> None:
        return None

    def presigned_url(self, key: str, seconds: int) -> str:
        with _translated(f"cannot sign a URL of {key} in {self!r}"):
            return obstore.sign(self._store, "GET", require_key(key), timedelta(seconds=seconds))

    def probe(self) -> None:
        """Beyond the promise: learns whether the store takes checksums and honours ``If-None-Match``."""
        marker = f"{_SPOOL}{secrets.token_hex(16)}"
        with _translated(f"the bucket {self.bucket!r} does not work"):
            try:
                obstore.put(self._store, marker, b"packhouse")
            except BaseError:
                self._store = self._connected()
                obstore.put(self._store, marker, b"packhouse")
                log.warning("%r does not take SHA-256 checksums; the signature alone guards the transfer", self)
            try:
                self._create_mode = "create" if self._refuses_to_overwrite(marker) else "overwrite"
                if bytes(obstore.get(self._store, marker).bytes()) != b"packhouse":
                    raise StoreUnavailable(f"the bucket {self.bucket!r} returned other bytes than were written")
            finally:
                obstore.delete(self._store, marker)

    def now(self) -> datetime:
        marker = f"{_SPOOL}{secrets.token_hex(16)}"
        with _translated(f"cannot tell the time of {self!r}"):
            obstore.put(self._store, marker, b"packhouse")
            try:
                return obstore.head(self._store, marker)["last_modified"]
            finally:
                obstore.delete(self._store, marker)

    def sweep_temporaries(self, older_than: timedelta) -> int:
        limit = self.now() - older_than
        with _translated(f"cannot sweep {self!r}"):
            left = [
                item["path"]
                for batch in obstore.list(self._store, prefix=_SPOOL)
                for item in batch
                if item["last_modified"] < limit
            ]
            for path in left:
                obstore.delete(self._store, path)
        return len(left)

    def _connected(self, **extra: Any) -> Bucket:
        options = {**self._options, **extra}
        plain = str(options.get("endpoint", "")).startswith("http://")
        return Bucket(
            self.bucket,
            prefix=self.prefix or None,
            client_options={"connect_timeout": "5s", "timeout": "60s", "allow_http": plain},
            # two retries make three tries, with jitter between them
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=150)},
            copy_if_not_exists="multipart",
            **options,
        )

    def _create(self, key: str, view: memoryview, metadata: dict[str, str]) -> None:
        if len(view) <= self.single_put_limit:
            obstore.put(
                self._store, key, view, mode=cast("Any", self._create_mode), use_multipart=False, attributes=metadata
            )
            return
        if self.exists(key):  # saves the transfer; what decides is the copy
            raise AlreadyExistsError(key)
        temporary = f"{_SPOOL}{secrets.token_hex(16)}"
        try:
            obstore.put(self._store, temporary, view, use_multipart=True, chunk_size=8 * 1024**2, max_concurrency=4)
            obstore.copy(self._store, temporary, key, overwrite=self._create_mode == "overwrite")
        finally:
            with contextlib.suppress(BaseError, OSError):
                obstore.delete(self._store, temporary)

    def _same(self, key: str, size: int, sha256_hex: str) -> bool:
        """False (nothing new was stored) when *key* holds the same bytes; raises ``BlobConflict`` otherwise."""
        found = obstore.get(self._store, key)
        if found.meta["size"] == size:
            known = found.attributes.get("sha256") or sha256_of(map(bytes, found.stream(min_chunk_size=CHUNK)))
            if known == sha256_hex:
                return False
        raise BlobConflict(f"{key} already holds other bytes")

    def _refuses_to_overwrite(self, marker: str) -> bool:
        try:
            obstore.put(self._store, marker, b"packhouse", mode="create")
        except AlreadyExistsError:
            return True
        except BaseError as error:
            reason = str(error).partition("\n")[0]
        else:
            reason = "it ignored If-None-Match"
        log.warning("%r has no conditional writes (%s); blobs are compared before they are written", self, reason)
        return False


class _RangeReader(io.RawIOBase):
    """Reads one object piece by piece, so that an archive can be opened without fetching all of it."""

    def __init__(self, store: S3Store, key: str, size: int) -> None:
        self._store, self._key, self._size, self._position = store, key, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        chunk = self._store.read_range(self._key, self._position, len(buffer))
        buffer[: len(chunk)] = chunk
        self._position += len(chunk)
        return len(chunk)


@contextlib.contextmanager
def _in_view(source: BinaryIO | bytes) -> Iterator[memoryview]:
    """All bytes of *source* as one buffer; a file is mapped, not read, so that its size costs no memory."""
    if isinstance(source, bytes):
        yield memoryview(source)
        return
    source.flush()
    source.seek(0, io.SEEK_END)
    if not source.tell():  # an empty file cannot be mapped
        yield memoryview(b"")
        return
    # The map ends when nothing points at it any more: obstore may still hold the buffer when this returns.
    yield memoryview(mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ))


@contextlib.contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turn obstore's errors into the store's, without the pages of debugging text that it appends."""
    try:
        yield
    except (StoreError, AlreadyExistsError):
        raise
    except (FileNotFoundError, NotFoundError) as error:
        raise _not_found(doing, str(error)) from None
    except (BaseError, OSError) as error:
        full = any(sign in str(error) for sign in _FULL)
        raise (StoreFull if full else StoreUnavailable)(f"{doing}: {_brief(error)}") from None


def _not_found(doing: str, message: str) -> StoreError:
    if "NoSuchBucket" in message:
        return StoreUnavailable(f"{doing}: the bucket does not exist")
    return BlobNotFound(doing)


def _brief(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
