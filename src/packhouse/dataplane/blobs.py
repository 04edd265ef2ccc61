"""Where the data plane finds the bytes of files: this machine's disk, or a remote store."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from packhouse.dataplane.packages import Blob, Blobs, NotStatted
from packhouse.files.local import LocalStore
from packhouse.files.store import BlobStore

_REMEMBERED = 20_000
_URL_SECONDS = 300


class LocalBlobs:
    """Files on this machine's disk, below *root*.  Keys reach here only after a strict match, so they cannot climb."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)

    def stat(self, key: str) -> Blob | None:
        path = f"{self._root}/{key}"
        try:
            return Blob(os.stat(path).st_size, path)  # noqa: PTH116 - a third of the time of Path.stat
        except (FileNotFoundError, NotADirectoryError):
            return None


class RemoteBlobs:
    """Files in a store across a network.  Sizes are remembered: a blob never changes.

    With *redirect*, clients are sent to the store itself by a signed address; else the bytes pass through here.
    """

    def __init__(self, store: BlobStore, *, redirect: bool = False) -> None:
        self._store = store
        self._redirect = redirect
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="blobs")

    def stat(self, key: str) -> Blob | None:
        size = self._sizes.get(key)
        if size is None:
            raise NotStatted(key)
        if size < 0:
            del self._sizes[key]  # absence is told once, never remembered: the file may be uploaded next
            return None
        return Blob(size, url=self._store.presigned_url(key, _URL_SECONDS) if self._redirect else None)

    async def ask(self, key: str) -> None:
        """Learn the size of *key*.  Raises ``StoreError`` when the store does not answer."""
        size = await asyncio.get_running_loop().run_in_executor(self._threads, self._store.size, key)
        self._sizes[key] = -1 if size is None else size
        while len(self._sizes) > _REMEMBERED:
            self._sizes.popitem(last=False)

    def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        return self._store.stream(key, start, end)


def from_store(store: BlobStore, *, redirect: bool = False) -> Blobs:
    """How the data plane reads *store*."""
    if isinstance(store, LocalStore):
        return LocalBlobs(store.root)
    return RemoteBlobs(store, redirect=redirect)
