"""What one process serves: its connections and their application."""

import asyncio
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
import uvloop

from packhouse.server import wire
from packhouse.server.connection import Connection
from packhouse.server.neighbours import AWAY, Door
from packhouse.server.turn import Turn
from packhouse.server.wheel import Wheel

log: Any = structlog.get_logger(__name__)

BACKLOG = 4096
_FILE_THREADS = 4


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may cost: bytes, fields and seconds of a head; seconds in which a client takes nothing."""

    head_bytes: int = 32768
    fields: int = 100
    head_seconds: int = 10
    send_seconds: int = 60
    connections: int = 1_000_000


class Server:
    """The connections of this process, and the application that answers them.

    *door* leads to the other workers, if there are any.  *second* is how long a second of the wheel takes, for tests
    that let time pass by themselves.
    """

    def __init__(self, application: Any, limits: Limits, *, door: Door | None = None, second: float = 1.0) -> None:
        self._second = second
        self._door = door
        self.application = application
        self.limits = limits
        self.wheel = Wheel()
        self.date = wire.date()
        self.threads = ThreadPoolExecutor(_FILE_THREADS, thread_name_prefix="files")
        self.recall: Callable[[bytes, Connection], bool] = getattr(application, "recall", lambda *_: False)
        self.answer_now: Callable[[Turn], bool] = getattr(application, "answer_now", lambda _: False)
        self.remember: Callable[[bytes, Any], None] = getattr(application, "remember", lambda *_: None)
        self._connections: dict[Connection, None] = {}  # in the order in which they came
        self._tasks: set[asyncio.Task[None]] = set()
        self._arriving: set[asyncio.Task[None]] = set()
        self._is_draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    def pass_on(self, descriptor: int) -> bool:
        """Whether another worker, which is less busy, has taken the client at *descriptor*."""
        return self._door is not None and not self._is_draining and self._door.pass_on(descriptor)

    def _take_in(self, door: Door) -> None:
        """Go on with clients whom others have passed on."""
        loop = asyncio.get_running_loop()
        for client in door.take_in():
            connecting = loop.create_task(self._connect(client))
            self._arriving.add(connecting)
            connecting.add_done_callback(self._arriving.discard)

    async def _connect(self, client: socket.socket) -> None:
        with suppress(OSError):  # it has gone meanwhile
            await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(self, stays=True), client)

    def _tell(self) -> None:
        if self._door is not None and not self._is_draining:
            self._door.tell(len(self._tasks))

    def welcome(self, connection: Connection) -> None:
        """A client has connected.  Where there is no room, whoever only waits makes some, or the newcomer is told."""
        has_room = len(self._connections) < self.limits.connections or self._make_room()
        self._connections[connection] = None
        self._empty.clear()
        self.wheel.watch(connection, self.limits.head_seconds)
        if not has_room:
            connection.refuse(503, ("retry-after", "2"))
        elif self._is_draining:
            connection.is_last = True

    def _make_room(self) -> bool:
        idle = next((connection for connection in self._connections if connection.is_idle), None)
        if idle is not None:
            del self._connections[idle]
            idle.abort()
        return idle is not None

    def farewell(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.pop(connection, None)
        self.wheel.forget(connection)
        if not self._connections:
            self._empty.set()

    def run(self, turn: Turn) -> None:
        """Have the application answer, in a task."""
        task = asyncio.get_running_loop().create_task(self._run(turn))
        self._tasks.add(task)
        task.add_done_callback(self._is_done)
        self._tell()

    def _is_done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._tell()

    async def _run(self, turn: Turn) -> None:
        try:
            await self.application.__rsgi__(turn, turn)
        except ConnectionError:
            turn.is_broken = True
        except Exception:
            log.exception("a request failed", path=turn.path)
            turn.is_broken = True
        turn.close_stream()

    async def serve(self, listening: socket.socket, stop: asyncio.Event, ready: Callable[[], None]) -> None:
        """Serve until *stop*, then until all that was under way is done.  *ready* is called when clients may come."""
        loop = asyncio.get_running_loop()
        if hasattr(self.application, "__rsgi_init__"):
            self.application.__rsgi_init__(loop)
        ticking = loop.create_task(self._tick())
        listener = await loop.create_server(lambda: Connection(self), sock=listening, backlog=BACKLOG)
        if self._door is not None:
            loop.add_reader(self._door.fileno(), self._take_in, self._door)
            self._door.tell(0)
        ready()
        await stop.wait()
        listener.close()
        await self._shut(self._door)
        self._is_draining = True
        for connection in list(self._connections):
            connection.drain()
        await self._empty.wait()
        while self._tasks:
            await asyncio.wait(self._tasks)
        ticking.cancel()
        if hasattr(self.application, "__rsgi_del__"):
            self.application.__rsgi_del__(loop)

    async def _shut(self, door: Door | None) -> None:
        """Take no more clients in than have been passed on to here already."""
        if door is None:
            return
        door.tell(AWAY)
        self._door = None
        asyncio.get_running_loop().remove_reader(door.fileno())
        self._take_in(door)
        while self._arriving:
            await asyncio.wait(self._arriving)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self._second)
            self.date = wire.date()
            self.wheel.turn()
            self._tell()


def work(
    application: Any,
    listening: socket.socket,
    limits: Limits,
    ready: Callable[[], None],
    door: Door | None = None,
) -> None:
    """Serve in this process until SIGTERM."""

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await Server(application, limits, door=door).serve(listening, stop, ready)

    with suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
