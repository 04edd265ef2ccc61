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
from packhouse.specs.archives.child import FRAME, KILL, RECEIVE, START
from packhouse.specs.archives.contents import Listed
from packhouse.specs.archives.inspect import Inspection
from packhouse.specs.archives.limits import DEFAULT_LIMITS, Limits
from packhouse.specs.errors import Refused

STOP_SECONDS = 5.0
DEATH_SECONDS = 0.1


class InspectorUnavailable(RuntimeError):
    """No archive can be read right now; it is not the archive's fault."""


class Inspector:
    """Reads archives in processes of their own, at most ``concurrency`` at a time. One serves all threads of a process.

    The server process behind it starts with the first archive, starts again should it die, and ends with ``close`` or
    with this process.
    """

    def __init__(self, *, limits: Limits = DEFAULT_LIMITS, concurrency: int = 2) -> None:
        self._limits = limits
        self._slots = threading.BoundedSemaphore(concurrency)
        self._lock = threading.Lock()
        self._server: Server | None = None

    def inspect(
        self, file: BinaryIO, filename: str, packagetype: str, *, license_files: Sequence[str] = ()
    ) -> Inspection:
        """See ``packhouse.specs.archives.inspect.inspect``. ``file`` must have a descriptor; its offset does not move.

        Raises ``Refused`` (``archive-too-costly`` where the reading process ran out of memory or of processor time)
        and ``InspectorUnavailable`` (no process, none free in time, or none that got a processor in time).
        """
        request = {"filename": filename, "packagetype": packagetype, "license_files": list(license_files)}
        return Inspection.from_json(self._told(file, request, "inspection"))

    def members(self, file: BinaryIO, filename: str) -> list[Listed]:
        """The files in a stored archive by path.  Raises as ``inspect`` does."""
        return [Listed(**member) for member in self._told(file, {"look": True, "filename": filename}, "members")]

    def beginning(self, file: BinaryIO, filename: str, path: str, most: int) -> bytes | None:
        """The first *most* bytes of the file at *path*; None where there is none.  Raises as ``inspect`` does."""
        request = {"look": True, "filename": filename, "path": path, "most": most}
        data: str | None = self._told(file, request, "data")
        return None if data is None else data.encode("latin-1")

    def _told(self, file: BinaryIO, request: dict[str, Any], key: str) -> Any:
        data = json.dumps(request | {"limits": asdict(self._limits)}).encode()
        if not self._slots.acquire(timeout=self._limits.wall_seconds):
            raise InspectorUnavailable("All inspectors are busy.")
        try:
            file.flush()  # the other process sees the descriptor alone, not what we still hold back
            return understood(self._ask(file.fileno(), data), key)
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

    def _ask(self, archive_fd: int, request: bytes) -> bytes:
        """The answer's bytes, empty where the job died. A server that died is replaced once."""
        for _ in range(2):
            server = self._running()
            try:
                answer = server.run(archive_fd, request, self._limits.wall_seconds)
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
        self._jobs = count(1)
        self.close = weakref.finalize(self, stop, self._control, self._process)

    def alive(self) -> bool:
        """Whether it runs and is ours: after a fork of this process, the other one needs its own."""
        return self._owner == os.getpid() and self._process.poll() is None

    def dies(self) -> bool:
        """Whether it is ending: a socket closes a moment before the process can be seen as ended."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(DEATH_SECONDS)
        return not self.alive()

    def run(self, archive_fd: int, request: bytes, seconds: float) -> bytes:
        """One job: its answer, or nothing where it died.  Raises ``TimeoutError``, and ends it, after ``seconds``."""
        deadline = time.monotonic() + seconds
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                job = self._send(START, [theirs.fileno(), archive_fd])
            try:
                return exchange(ours, request, deadline)
            except TimeoutError:
                self._send(KILL, [], job)
                raise

    def _send(self, kind: int, fds: list[int], job: int | None = None) -> int:
        with self._lock:
            job = job or next(self._jobs)
            socket.send_fds(self._control, [FRAME.pack(kind, job)], fds)
        return job


def exchange(connection: socket.socket, request: bytes, deadline: float) -> bytes:
    """Send the request, return the whole answer. Raises ``TimeoutError`` at the deadline (of ``time.monotonic``)."""
    connection.settimeout(max(0.001, deadline - time.monotonic()))
    pieces = []
    try:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(RECEIVE):
            pieces.append(piece)
            connection.settimeout(max(0.001, deadline - time.monotonic()))
    except ConnectionError:
        return b""
    return b"".join(pieces)


def stop(control: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    """Close our end, at which the server ends, and collect it."""
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
