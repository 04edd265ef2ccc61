"""Core metadata, packed once: resolvers ask for the same few texts over and over, and a blob never changes."""

import asyncio
import gzip
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

LEVEL: Final = 6
_OFF_THE_LOOP: Final = 64 * 1024
"""Bytes above which packing takes longer than a thread's start."""


class Packed:
    """Gzipped blobs by key, bounded by ``capacity`` bytes, least recently used out first.  Lives on one event loop."""

    __slots__ = ("_kept", "capacity", "size")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    async def get(self, key: str, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """The blob *key* packed; *read* brings its bytes where it is not at hand."""
        found = self.at_hand(key)
        if found is not None:
            return found
        content = await read()
        packed = _pack(content) if len(content) < _OFF_THE_LOOP else await asyncio.to_thread(_pack, content)
        self._keep(key, packed)
        return packed

    def at_hand(self, key: str) -> bytes | None:
        """The blob *key* packed, if that was done before."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def _keep(self, key: str, packed: bytes) -> None:
        self.size += len(packed) - len(self._kept.pop(key, b""))
        self._kept[key] = packed
        while self.size > self.capacity and len(self._kept) > 1:
            self.size -= len(self._kept.popitem(last=False)[1])


def _pack(content: bytes) -> bytes:
    return gzip.compress(content, LEVEL, mtime=0)
