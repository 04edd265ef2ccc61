"""A master with workers that answer their process id: ``python -m tests.server.service PORT WORKERS [broken|told]``."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from packhouse.base import running
from packhouse.server import master, worker


class Pid:
    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        proto.response_bytes(200, [], str(os.getpid()).encode())


def work(listening: socket.socket, ready: Callable[[], None]) -> None:
    running.end_with_parent()
    if "broken" in sys.argv:
        raise SystemExit("this worker cannot work")
    worker.work(Pid(), listening, worker.Limits(), ready)


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
    sockets = master.listen("127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
    sys.exit(master.Master(sockets, work, 10).run())
