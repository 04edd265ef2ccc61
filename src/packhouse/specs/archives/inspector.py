"""``inspect`` in another process: the same answers, whatever the archive tries."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Self

import packhouse
from packhouse.specs.archives.child import FRAME, KILL, SIZE, START, receive
from packhouse.specs.archives.contents import Listed
from packhouse.specs.archives.inspect import Inspection
from packhouse.specs.archives.limits import DEFAULT_LIMITS, Limits
from packhouse.specs.errors import Refused

STOP_SECONDS = 5.0
DEATH_SECONDS = 0.1
AT_ONCE_SECONDS = 2.0
"""So soon a reader gives no answer that was gone, or has no room left."""
MOST_JOBS = 100
"""Archives that one process reads."""
MOST_IDLE = 2
"""Processes that are kept for the next archive of the same publisher."""


class InspectorUnavailable(RuntimeError):
    """No archive can be read right now; it is not the archive's fault."""


class Inspector:
    """Reads archives in processes of their own, at most ``concurrency`` at a time. One serves all threads of a process.

    What comes from the same publisher may be read by the same process, one archive after the other: to begin one takes
    twenty times as long as to read a small archive. Whatever an archive did to its reader, no one else would meet it.
    The server process behind it starts with the first archive, starts again should it die, and ends with ``close`` or
    with this process.
    """

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, concurrency: int = 2) -> None:
        self._limits = limits
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._server: Server | None = None

    def inspect(
        self, file: BinaryIO, filename: str, packagetype: str, *, license_files: Sequence[str] = (), publisher: str = ""
    ) -> Inspection:
        """See ``packhouse.specs.archives.inspect.inspect``. ``file`` must have a descriptor; its offset does not move.

        *publisher* names by whose credential the archive came; without it, a process of its own reads it.
        Raises ``Refused`` (``archive-too-costly`` where the reading process ran out of memory or of processor time)
        and ``InspectorUnavailable`` (no process, none free in time, or none that got a processor in time).
        """
        request = {"filename": filename, "packagetype": packagetype, "license_files": list(license_files)}
        return Inspection.from_json(self._told(file, request, "inspection", publisher))

    def members(self, file: BinaryIO, filename: str) -> list[Listed]:
        """The files in a stored archive by path.  Raises as ``inspect`` does."""
        return [Listed(**member) for member in self._told(file, {"look": True, "filename": filename}, "members")]

    def beginning(self, file: BinaryIO, filename: str, path: str, most: int) -> bytes | None:
        """The first *most* bytes of the file at *path*; None where there is none.  Raises as ``inspect`` does."""
        request = {"look": True, "filename": filename, "path": path, "most": most}
        data: str | None = self._told(file, request, "data")
        return None if data is None else data.encode("latin-1")

    def _told(self, file: BinaryIO, request: dict[str, Any], key: str, publisher: str = "") -> Any:
        data = json.dumps(request | {"limits": asdict(self._limits)}).encode()
        if not self._slots.acquire(timeout=self._limits.wall_seconds):
            raise InspectorUnavailable("All inspectors are busy.")
        try:
            file.flush()  # the other process sees the descriptor alone, not what we still hold back
            return understood(self._ask(file.fileno(), data, publisher), key)
        finally:
            self._slots.release()

    def close(self) -> None:
        """End the server process. The next ``inspect`` would start a new one."""
        with self._lock:
            server, self._server = self._server, None
        if server:
            server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, archive_fd: int, request: bytes, publisher: str) -> bytes:
        """The answer's bytes, empty where the reader died. A server that died is replaced once."""
        for _ in range(2):
            server = self._running()
            try:
                answer = server.run(archive_fd, request, self._limits.wall_seconds, publisher)
            except TimeoutError as late:  # by the clock on the wall: the machine is slow, not the archive costly
                raise InspectorUnavailable("The archive could not be read in time.") from late
            except OSError as error:
                if not server.dies():
                    raise InspectorUnavailable(f"The archive server cannot be asked: {error}") from error
            else:
                if answer or not server.dies():
                    return answer
        raise InspectorUnavailable("The archive server died twice.")

    def _running(self) -> "Server":
        with self._lock:
            if self._server is None or not self._server.alive():
                if self._server:
                    self._server.close()
                self._server = Server()
            return self._server


class Server:
    """The running process of ``child`` and our end of its control socket."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own interpreter and module
                    [sys.executable, "-P", "-S", "-m", "packhouse.specs.archives.child", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env=environment(),
                )
            except OSError as error:
                self._control.close()
                raise InspectorUnavailable(f"The archive server does not start: {error}") from error
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._idle: list[tuple[str, Reader]] = []
        self.close = weakref.finalize(self, stop, self._control, self._process, self._idle)

    def alive(self) -> bool:
        """Whether it runs and is ours: after a fork of this process, the other one needs its own."""
        return self._owner == os.getpid() and self._process.poll() is None

    def dies(self) -> bool:
        """Whether it is ending: a socket closes a moment before the process can be seen as ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(DEATH_SECONDS)
        return not self.alive()

    def run(self, archive_fd: int, request: bytes, seconds: float, publisher: str) -> bytes:
        """One job: its answer, or nothing where it died.  Raises ``TimeoutError``, and ends it, after ``seconds``."""
        deadline = time.monotonic() + seconds
        while True:
            began, reader = time.monotonic(), self._reader(publisher)
            try:
                answer = reader.ask(archive_fd, request, deadline)
            except OSError as error:
                reader.close()
                if isinstance(error, TimeoutError):
                    self._send(KILL, reader.number)
                raise
            if answer:
                self._keep(publisher, reader)
                return answer
            reader.close()
            if not reader.jobs or time.monotonic() > began + AT_ONCE_SECONDS:
                return b""
            # Else it had ended meanwhile, or what it read before has left it less room: a new one has the last word.

    def _reader(self, publisher: str) -> "Reader":
        """One that is kept for the *publisher*, or a new one."""
        with self._lock:
            for at, (whose, reader) in enumerate(self._idle):
                if publisher and whose == publisher:
                    del self._idle[at]
                    return reader
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                return Reader(ours, self._send(START, fds=[theirs.fileno()]))
            except OSError:
                ours.close()
                raise

    def _keep(self, publisher: str, reader: "Reader") -> None:
        """Keep *reader* for the next archive of the *publisher*, and those kept longest no more."""
        reader.jobs += 1
        if not publisher or reader.jobs >= MOST_JOBS:
            reader.close()
            return
        with self._lock:
            self._idle.append((publisher, reader))
            surplus, self._idle[:] = self._idle[:-MOST_IDLE], self._idle[-MOST_IDLE:]
        for _, former in surplus:
            former.close()

    def _send(self, kind: int, number: int | None = None, fds: Sequence[int] = ()) -> int:
        with self._lock:
            number = number or next(self._numbers)
            socket.send_fds(self._control, [FRAME.pack(kind, number)], fds)
        return number


class Reader:
    """A process that reads archives one after the other, seen from here: our end of its socket, and its number."""

    def __init__(self, connection: socket.socket, number: int) -> None:
        self.number = number
        self.jobs = 0
        self._connection = connection
        self.close = connection.close

    def ask(self, archive_fd: int, request: bytes, deadline: float) -> bytes:
        """The whole answer, empty where the process ends. Raises ``TimeoutError`` at the deadline (``monotonic``)."""
        connection = self._connection
        try:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            socket.send_fds(connection, [SIZE.pack(len(request))], [archive_fd])
            connection.sendall(request)
            [size] = SIZE.unpack(receive(connection, SIZE.size))
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            return receive(connection, size)
        except ConnectionError:
            return b""


def stop(control: socket.socket, process: "subprocess.Popen[bytes]", idle: list[tuple[str, Reader]]) -> None:
    """Close our ends, at which the readers and the server end, and collect it."""
    for _, reader in idle:
        reader.close()
    control.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def environment() -> dict[str, str]:
    """What the server needs of ours: where this very package is, and no secrets."""
    kept = {key: os.environ[key] for key in ("LD_LIBRARY_PATH", "PYTHONHOME") if key in os.environ}
    return kept | {"PYTHONPATH": str(Path(packhouse.__file__).parents[1]), "PYTHONUTF8": "1"}


def understood(answer: bytes, key: str) -> Any:
    """The answer as a result or as the exception that it stands for."""
    try:
        said: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise Refused("archive-too-costly", "Reading the archive takes more time or memory than allowed.") from None
    if "refused" in said:
        refused = said["refused"]
        raise Refused(refused["code"], refused["message"], field=refused["field"])
    if key not in said:
        raise InspectorUnavailable(f"Reading the archive failed:\n{said.get('error')}")
    return said[key]
