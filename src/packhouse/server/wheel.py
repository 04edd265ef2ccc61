"""The clock by which connections that do nothing come to an end.

Ten thousand connections need no ten thousand timers: each stands in the bucket of one second to come, and is looked at
when that second is there.
"""

from collections import defaultdict
from typing import Protocol


class Watched(Protocol):
    """Something that is looked at now and then; ``due`` is kept by the wheel."""

    due: int

    def look(self, now: int) -> int:
        """Look whether it is time to end; returns the seconds until the next look, 0 for none."""


class Wheel:
    """Buckets by second.  ``now`` counts the seconds since the start."""

    def __init__(self) -> None:
        self.now = 0
        self._buckets: defaultdict[int, set[Watched]] = defaultdict(set)

    def watch(self, what: Watched, seconds: int) -> None:
        what.due = self.now + max(1, seconds)
        self._buckets[what.due].add(what)

    def forget(self, what: Watched) -> None:
        bucket = self._buckets.get(what.due)
        if bucket is not None:
            bucket.discard(what)

    def turn(self) -> None:
        """A second has passed."""
        self.now += 1
        for what in self._buckets.pop(self.now, ()):
            if seconds := what.look(self.now):
                self.watch(what, seconds)
