"""Counting in the front door: a dictionary, a few hundred nanoseconds, from the event loop's thread alone."""

from collections.abc import Mapping
from typing import Final

Batch = Mapping[tuple[str, str], int]
"""Number by the blob's key and the client's ``User-Agent``."""

PREFIX: Final = "/packages/"
FULL: Final = 10_000
"""Different keys after which a tally should be written before its time."""
MOST: Final = 40_000
LONGEST_AGENT: Final = 600


class Tally:
    """What has been fetched since the last ``take``."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, path: str, agent: str) -> None:
        """The file at the URL's *path* was sent as a whole, or the client sent on to where it is."""
        if path.endswith(".metadata") or not path.startswith(PREFIX):
            return
        self._count((path[len(PREFIX) :], agent[:LONGEST_AGENT]), 1)

    @property
    def is_full(self) -> bool:
        return len(self._counts) >= FULL

    def take(self) -> Batch:
        """What was counted; counting begins anew."""
        taken, self._counts = self._counts, {}
        return taken

    def give_back(self, batch: Batch) -> None:
        """Count what could not be written once more."""
        for key, number in batch.items():
            self._count(key, number)

    def _count(self, key: tuple[str, str], number: int) -> None:
        known = self._counts.get(key)
        if known is None and len(self._counts) >= MOST:
            return  # nobody writes: better no number than no memory
        self._counts[key] = (known or 0) + number
