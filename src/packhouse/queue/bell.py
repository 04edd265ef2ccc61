"""What wakes the main thread of a process, from other threads and from signal handlers."""

from contextlib import suppress
from queue import Empty, SimpleQueue


class Bell:
    """Like a ``threading.Event`` that is cleared by whoever has waited for it, but handlers of signals may ring it.

    A handler runs in the midst of what the main thread does: if that is just holding the event's lock, to ``set`` it
    would wait for ever for its own thread.  ``SimpleQueue.put`` is made to be called at any moment.
    """

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        self._rings.put(None)

    def wait(self, seconds: float) -> None:
        """Until it rings, or has rung since the last time, but no longer than *seconds*."""
        with suppress(Empty):
            self._rings.get(timeout=seconds)
            while True:
                self._rings.get_nowait()
