"""The workers of one server share what comes: a client that reaches a busy worker is handed to the least busy one.

The kernel deals clients out by chance (``SO_REUSEPORT``).  Of requests that take long, chance makes a long queue at one
worker while another is at rest.  So each worker tells the others, in memory that they share, how many requests it has
under way; and one that has many more than another passes the connections that come next on to that one, before it has
read a byte (``SCM_RIGHTS``, unix(7)).
"""

import mmap
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

MARGIN: Final = 4
"""How many requests more than another worker one has under way before it passes clients on."""
AWAY: Final = 2**32 - 1
"""The load of a worker that takes nobody in."""


class Neighbours:
    """What the workers at *number* places share.  To be made before they are forked."""

    def __init__(self, number: int) -> None:
        self._loads = memoryview(mmap.mmap(-1, 4 * number)).cast("I")
        self._doors = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(number)]
        for end in (end for pair in self._doors for end in pair):
            end.setblocking(False)
        for place in range(number):
            self._loads[place] = AWAY

    def at(self, place: int) -> "Door":
        """The door of the worker at *place*."""
        return Door(place, self._loads, self._doors)


class Door:
    """Through which one worker takes clients in and passes them on."""

    def __init__(self, place: int, loads: "memoryview[int]", doors: list[tuple[socket.socket, socket.socket]]) -> None:
        self._place = place
        self._loads = loads
        self._doors = doors
        self._inside = doors[place][1]
        self._load = 0

    def fileno(self) -> int:
        """What becomes readable when somebody is passed on to here."""
        return self._inside.fileno()

    def tell(self, load: int) -> None:
        """Let the others know how many requests are under way here.

        To be said again now and then: whoever was at this place before says at its end that it is away.
        """
        self._load = self._loads[self._place] = load

    def pass_on(self, descriptor: int) -> bool:
        """Give the client at *descriptor* to a worker that is much less busy; False when there is none."""
        least = min(range(len(self._loads)), key=self._loads.__getitem__)
        if self._loads[least] + MARGIN > self._load:
            return False
        with suppress(OSError):  # nobody opens there: it is busy after all
            socket.send_fds(self._doors[least][0], [b"client"], [descriptor])
            self._loads[least] += 1  # until it says so itself: many may come at once
            return True
        return False

    def take_in(self) -> Iterator[socket.socket]:
        """The clients that others have passed on to here."""
        with suppress(BlockingIOError):
            while True:
                _, descriptors, _, _ = socket.recv_fds(self._inside, 16, 1)
                for descriptor in descriptors:
                    yield socket.socket(fileno=descriptor)
