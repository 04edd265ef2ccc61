"""Files: the blob store that holds what publishers uploaded, on local disk or in S3.

Owns: bytes under write-once keys.  Words: a *blob* is the bytes of one uploaded file or of its ``.metadata`` sidecar;
its *key* is ``{b[0:2]}/{b[2:4]}/{b[4:]}/{filename}``, where *b* is the file's BLAKE2b-256 in hex.  A key, once stored,
never changes its bytes.  Doors: ``from_url``, ``default_store``, ``key_for``, ``BlobStore`` and the errors below.

It knows nothing of Django (``default_store`` alone reads the settings), so the data plane may use it.
"""

from functools import cache
from urllib.parse import urlsplit

from packhouse.files.local import LocalStore
from packhouse.files.s3 import S3Store
from packhouse.files.store import (
    BlobConflict,
    BlobDamaged,
    BlobInfo,
    BlobNotFound,
    BlobStore,
    StoreError,
    StoreFull,
    StoreUnavailable,
    is_key,
    key_for,
)

__all__ = [
    "BlobConflict",
    "BlobDamaged",
    "BlobInfo",
    "BlobNotFound",
    "BlobStore",
    "LocalStore",
    "S3Store",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "default_store",
    "from_url",
    "is_key",
    "key_for",
]


def from_url(url: str) -> BlobStore:
    """The blob store at *url*: ``file:///path`` or ``s3://bucket[/prefix][?endpoint=…&region=…]``.

    Nothing is touched yet; call ``probe()`` to know whether it works.  Raises ``ValueError`` for any other URL.
    """
    scheme = urlsplit(url).scheme
    if scheme == "file":
        return LocalStore.from_url(url)
    if scheme == "s3":
        return S3Store.from_url(url)
    raise ValueError(f"PACKHOUSE_FILES must be file:///path or s3://bucket, not a URL of scheme {scheme!r}")


@cache
def _opened(url: str) -> BlobStore:
    return from_url(url)


def default_store() -> BlobStore:
    """The store that this installation is configured with; one object per process."""
    from django.conf import settings  # noqa: PLC0415  # the data plane uses this room without Django

    return _opened(settings.PACKHOUSE.files)
