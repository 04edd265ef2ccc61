"""A master with workers that answer their process id: ``python -m tests.server.service PORT WORKERS [MORE]``.

MORE: ``broken`` workers never come up, the first of ``told`` ones is told to end at once, and of ``uneven`` ones the
first alone is found by clients.  ``/slow`` is answered after a while.  A line is printed for each worker that is up.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from packhouse.base import running
from packhouse.server import master, worker
from packhouse.server.neighbours import Neighbours


class Pid:
    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        if scope.path == "/slow":
            await asyncio.sleep(1)
        proto.response_bytes(200, [], str(os.getpid()).encode())


def work(listening: socket.socket, ready: Callable[[], None]) -> None:
    running.end_with_parent()
    if "broken" in sys.argv:
        raise SystemExit("this worker cannot work")

    def tell() -> None:
        ready()
        os.write(sys.stdout.fileno(), b"up\n")

    worker.work(Pid(), listening, worker.Limits(), tell, NEIGHBOURS.at(SOCKETS.index(listening)))


def fork_and_tell_it_to_end() -> int:
    """The first worker is told to end before it has done anything at all."""
    os.fork = FORK
    pid = FORK()
    if pid == 0:
        os.kill(os.getpid(), signal.SIGTERM)
    return pid


FORK = os.fork

if __name__ == "__main__":
    if "told" in sys.argv:
        os.fork = fork_and_tell_it_to_end
    SOCKETS = master.listen("127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
    if "uneven" in sys.argv:
        for unknown in SOCKETS[1:]:
            unknown.close()
        SOCKETS[1:] = master.listen("127.0.0.1", 0, len(SOCKETS) - 1)
    NEIGHBOURS = Neighbours(len(SOCKETS))
    sys.exit(master.Master(SOCKETS, work, 10).run())
