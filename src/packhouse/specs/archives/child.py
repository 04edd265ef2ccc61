"""The process that reads archives, so that a costly one costs nobody else.

``python -m packhouse.specs.archives.child FD`` is a small server with one thread. It never reads an archive itself: it
forks, which takes a few milliseconds where a new interpreter would take fifty, and the fork, a reader, reads under
limits that the kernel keeps. Standard library alone.

On the control socket (descriptor ``FD``) the parent sends frames of ``FRAME``: ``START`` with a reader's socket or
``KILL``, each with the reader's number. On its socket a reader takes jobs, one after the other: the size of a request
(``SIZE``), with the open archive, and the request, a JSON object; it answers with one, behind its size. It ends when
that socket is closed, or nobody has asked for a while; the server, when its parent closes the control socket.
"""

import gc
import json
import math
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from packhouse.specs.archives import contents
from packhouse.specs.archives.inspect import inspect
from packhouse.specs.archives.limits import MIB, Limits
from packhouse.specs.archives.source import Descriptor
from packhouse.specs.errors import Refused

FRAME = struct.Struct("<BQ")
SIZE = struct.Struct("<Q")
START, KILL = 1, 2
FALLBACK_MEMORY = 512 * MIB
RECEIVE = 64 * 1024
GRACE_SECONDS = 5
IDLE_SECONDS = 10
MOST_KEPT = 64 * MIB
"""Memory that a reader may once have had in use and still read the next archive: that one has as much room as any."""
SOCKET = 3
"""A reader's socket: the descriptor behind those for input, output and errors.  An archive gets the next one."""
MOST_DESCRIPTORS = 64
"""More than the server ever has open, from the lowest on."""


def serve(control: socket.socket, memory: int) -> None:
    """Fork a reader whenever one is asked for, until the parent is gone; bury the ended ones.

    *memory* is the address space that a reader takes by itself, in bytes.
    """
    wakeup = quiet_wakeup()
    readers: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wakeup, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if wakeup in ready:
                wakeup.recv(RECEIVE)
                bury(readers)
            if control in ready and not take_frame(control, readers, memory):
                return


def quiet_wakeup() -> socket.socket:
    """A socket that becomes readable when a child has ended."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def bury(readers: dict[int, int]) -> None:
    """Collect ended children. Their numbers are free for others afterwards, so no reader may keep one."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            for number in [number for number, running in readers.items() if running == pid]:
                del readers[number]


def take_frame(control: socket.socket, readers: dict[int, int], memory: int) -> bool:
    """Do what one frame says; ``False`` where the parent is gone."""
    frame, fds, _, _ = socket.recv_fds(control, FRAME.size, 1)
    if len(frame) < FRAME.size:
        return False
    kind, number = FRAME.unpack(frame)
    if kind == START and fds:
        readers[number] = start(fds[0], memory)
    elif kind == KILL and number in readers:
        os.kill(readers[number], signal.SIGKILL)
    return True


def start(reply_fd: int, memory: int) -> int:
    """Fork; the child answers on its socket and ends without any clean-up of ours."""
    pid = os.fork()
    if pid == 0:
        try:
            reset_signals()
            work(alone(reply_fd), memory)
        finally:
            os._exit(0)
    os.close(reply_fd)
    return pid


def alone(reply_fd: int) -> socket.socket:
    """The reader's socket, beside which there is room for one more descriptor: an archive, and nothing it opens."""
    os.dup2(reply_fd, SOCKET)
    os.closerange(SOCKET + 1, MOST_DESCRIPTORS)
    for what, bound in {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: SOCKET + 2}.items():
        resource.setrlimit(what, (bound, bound))
    return socket.socket(fileno=SOCKET)


def work(asked: socket.socket, memory: int) -> None:
    """Job after job, each within the limits that it brings. Out of memory, it ends without an answer."""
    with suppress(MemoryError):
        job = take_job(asked)
        while job:
            request, archive_fd = job
            limits = Limits(**request.pop("limits"))
            restrict(limits, memory)
            said = json.dumps(answer(archive_fd, request, limits)).encode()
            os.close(archive_fd)
            asked.sendall(SIZE.pack(len(said)) + said)
            signal.setitimer(signal.ITIMER_REAL, IDLE_SECONDS)
            job = take_job(asked) if 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < MOST_KEPT else None


def take_job(asked: socket.socket) -> tuple[dict[str, Any], int] | None:
    """A request and the descriptor of its archive; None when no more are to come."""
    head, fds, _, _ = socket.recv_fds(asked, SIZE.size, 1)
    if len(head) < SIZE.size or not fds:
        return None
    return json.loads(receive(asked, SIZE.unpack(head)[0])), fds[0]


def answer(archive_fd: int, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """``inspection``, ``members`` or ``data``; ``refused``; or, for an error of ours, ``error``."""
    try:
        if request.pop("look", False):
            return contents.as_json(request, Descriptor(archive_fd), limits)
        return {"inspection": inspect(archive_fd, limits=limits, **request).as_json()}
    except Refused as refused:
        return {"refused": {"code": refused.code, "message": refused.message, "field": refused.field}}
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  whatever it is, the parent shall log it
        return {"error": traceback.format_exc()}


def reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def restrict(limits: Limits, memory: int) -> None:
    """Have the kernel bound what one job takes: memory, processor and real time."""
    memory += limits.memory
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + limits.cpu_seconds, most))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + GRACE_SECONDS)  # should the parent not end it


def own_memory() -> int:
    """The address space in use, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return FALLBACK_MEMORY
    return pages * resource.getpagesize()


def receive(connection: socket.socket, size: int) -> bytes:
    """The next *size* bytes.  Raises ``ConnectionError`` when there are fewer."""
    pieces = []
    while size:
        piece = connection.recv(min(size, RECEIVE))
        if not piece:
            raise ConnectionResetError("the other end was closed")
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us too; our parent decides when to end
    given = int(sys.argv[1])
    low = os.dup(given)  # as low as can be, where the parent may have had thousands
    os.close(given)
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=low), own_memory())
