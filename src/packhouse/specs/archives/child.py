"""The process that reads archives, so that a costly one costs nobody else.

``python -m packhouse.specs.archives.child FD`` is a small server with one thread. It never reads an archive itself: for
each job it forks, which takes a millisecond where a new interpreter would take fifty, and the fork reads under limits
that the kernel keeps. Standard library alone.

On the control socket (descriptor ``FD``) the parent sends frames of ``FRAME``: ``START`` with two descriptors (the
job's socket, the open archive) or ``KILL``, each with a job number. On its socket a job reads one JSON request to the
end and answers with one JSON object. The server ends with its parent, whose end of the control socket closes then.
"""

import gc
import json
import os
import resource
import selectors
import signal
import socket
import struct
import sys
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
START, KILL = 1, 2
FALLBACK_MEMORY = 512 * MIB
RECEIVE = 64 * 1024
GRACE_SECONDS = 5


def serve(control: socket.socket) -> None:
    """Fork a process for each job until the parent is gone; bury the ended ones."""
    wakeup = quiet_wakeup()
    jobs: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wakeup, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if wakeup in ready:
                wakeup.recv(RECEIVE)
                bury(jobs)
            if control in ready and not take_frame(control, jobs):
                return


def quiet_wakeup() -> socket.socket:
    """A socket that becomes readable when a child has ended."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader


def bury(jobs: dict[int, int]) -> None:
    """Collect ended children. Their numbers are free for others afterwards, so no job may keep one."""
    with suppress(ChildProcessError):
        while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            for job in [job for job, running in jobs.items() if running == pid]:
                del jobs[job]


def take_frame(control: socket.socket, jobs: dict[int, int]) -> bool:
    """Do what one frame says; ``False`` where the parent is gone."""
    frame, fds, _, _ = socket.recv_fds(control, FRAME.size, 2)
    if len(frame) < FRAME.size:
        return False
    kind, job = FRAME.unpack(frame)
    if kind == START and len(fds) == 2:
        jobs[job] = start(control, *fds)
    elif kind == KILL and job in jobs:
        os.kill(jobs[job], signal.SIGKILL)
    return True


def start(control: socket.socket, reply_fd: int, archive_fd: int) -> int:
    """Fork; the child answers on its socket and ends without any clean-up of ours."""
    pid = os.fork()
    if pid == 0:
        try:
            control.close()
            work(socket.socket(fileno=reply_fd), archive_fd)
        finally:
            os._exit(0)
    os.close(reply_fd)
    os.close(archive_fd)
    return pid


def work(reply: socket.socket, archive_fd: int) -> None:
    """One job: read the request, take on the limits, answer. Out of memory, it ends without an answer."""
    reset_signals()
    request = json.loads(read_all(reply))
    limits = Limits(**request.pop("limits"))
    restrict(limits)
    with suppress(MemoryError):
        reply.sendall(json.dumps(answer(archive_fd, request, limits)).encode())


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


def restrict(limits: Limits) -> None:
    """Hand our resources to the kernel: memory, processor and real time, and neither files nor dumps from here on."""
    memory = own_memory() + limits.memory
    bounds = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    for what, bound in bounds.items():
        resource.setrlimit(what, (bound, bound))
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + GRACE_SECONDS)  # should the parent not end it


def own_memory() -> int:
    """The address space in use, in bytes."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return FALLBACK_MEMORY
    return pages * resource.getpagesize()


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(RECEIVE), b""))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal reaches us too; our parent decides when to end
    gc.collect()
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
