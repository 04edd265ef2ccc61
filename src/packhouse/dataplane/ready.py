"""Answers that can be given again without reading the request: remembered under the bytes that asked for them.

Installers of one kind send the same bytes whenever they ask for the same page.  What a request with the same bytes was
answered before is still the answer as long as the page that it was made from is the one in memory.  A request is kept
when it comes for the second time, since most never do.
"""

from collections import OrderedDict
from dataclasses import dataclass

from packhouse.dataplane.http import FileSlice
from packhouse.dataplane.page import Page
from packhouse.server.request import Headers
from packhouse.server.sending import Sealed

_SEEN = 16_384
_OVERHEAD = 400
_LONGEST = 4096


@dataclass(slots=True)
class Ready:
    """An answer but for its date and request id, and what the access log says of it.

    ``page`` is the page it was made from, for a file the list of those that are withheld; ``headers`` are kept where
    they tell who the client is.
    """

    head: bytes
    body: bytes | Sealed | FileSlice
    status: int
    route: str
    method: str
    path: str
    agent: str
    page: Page | None = None
    headers: Headers | None = None


class ReadyAnswers:
    """Answers by request, bounded by *capacity* bytes, the oldest out first."""

    def __init__(self, capacity: int = 16 * 1024**2) -> None:
        self.capacity = capacity
        self.size = 0
        self._answers: OrderedDict[bytes, Ready] = OrderedDict()
        self._seen: set[int] = set()
        self.get = self._answers.get

    def add(self, packet: bytes, ready: Ready) -> None:
        """Keep *ready* if *packet* has come before."""
        number = hash(packet)
        if number not in self._seen:
            if len(self._seen) >= _SEEN:
                self._seen.clear()
            self._seen.add(number)
            return
        if packet not in self._answers and len(packet) <= _LONGEST:
            self._answers[packet] = ready
            self.size += _weight(packet, ready)
            while self.size > self.capacity:
                self.size -= _weight(*self._answers.popitem(last=False))

    def remove(self, packet: bytes) -> None:
        """Forget one answer."""
        ready = self._answers.pop(packet, None)
        if ready is not None:
            self.size -= _weight(packet, ready)


def _weight(packet: bytes, ready: Ready) -> int:
    """Bytes that are held: the body too, for its page may be gone from the store."""
    body = b"" if isinstance(ready.body, FileSlice) else ready.body
    return len(packet) + len(ready.head) + len(body) + _OVERHEAD
