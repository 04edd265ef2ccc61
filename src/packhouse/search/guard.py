"""Keeps slow searches from taking every thread: few at once, and none for a while when they keep failing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

PATIENCE: Final = 0.25
"""Seconds that a search waits for its turn."""
FAILURES: Final = 5
"""So many in a row, and searches are refused for ``PAUSE`` seconds."""
PAUSE: Final = 5.0


class Busy(Exception):
    """No search can be answered now; try again in a few seconds."""


@dataclass(slots=True)
class Guard:
    """Lets *places* searches run at once, in this process."""

    places: threading.BoundedSemaphore
    failures: int = 0
    closed_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Raises ``Busy`` when there is no turn to be had; what is raised inside counts as a failure."""
        if time.monotonic() < self.closed_until or not self.places.acquire(timeout=PATIENCE):
            raise Busy
        try:
            yield
        except Exception:
            self._failed()
            raise
        else:
            self.failures = 0
        finally:
            self.places.release()

    def _failed(self) -> None:
        with self._lock:
            self.failures += 1
            if self.failures >= FAILURES:
                self.closed_until = time.monotonic() + PAUSE
                self.failures = 0


GUARD: Final = Guard(threading.BoundedSemaphore(max(1, settings.PACKHOUSE.threads // 4)))
"""A quarter of the threads: the rest stays for uploads and pages."""
