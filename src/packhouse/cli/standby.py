"""A process that has imported everything and waits to take the place of the server, should that die.

The server forks it before it has done anything else (``server.master``), so that it shares what the server imported,
holds the same listening sockets, and costs next to nothing.  When the server dies the supervisor, to which the kernel
hands orphans, gives it the word.  See docs/decisions/0027-standby.md.

Both ends of the line between them are here.  It carries process ids: from each that waits its own, when it begins to,
and from the supervisor that of the one whose turn has come.
"""

import os
import socket
from contextlib import suppress
from typing import Final

from packhouse.base import running

WORD_BYTES: Final = 32


class Adopted:
    """A process that is a child of this one but was not started by it; as much of ``Popen`` as its parent needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit status, or minus the signal that ended it; None while it runs."""
        return self._look(os.WNOHANG)

    def wait(self) -> int | None:
        """The same, once it has ended."""
        return self._look(0)

    def _look(self, options: int) -> int | None:
        if self._status is None:
            pid, status = os.waitpid(self.pid, options)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status


class Standby:
    """The supervisor's end of the line to whoever waits at the moment."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None

    def renew(self) -> socket.socket:
        """The other end of a new line, for a server that is started anew.  Whoever waits on the old one ends."""
        self.close()
        self._line, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.setblocking(False)
        return other

    def take_over(self) -> Adopted | None:
        """Let the process that waits take the place of the one that has died; None when there is none, or it is dead.

        Only to be called when that has been waited for: then the kernel has handed over what it had forked.
        """
        pid = self._last_announced()
        if self._line is None or not _is_living_child(pid):
            return None
        try:
            self._line.send(str(pid).encode())
        except OSError:
            return None
        return Adopted(pid)

    def close(self) -> None:
        """Nobody shall wait any more."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _last_announced(self) -> int:
        pid = 0
        with suppress(OSError):  # BlockingIOError: nobody has said more
            while self._line is not None and (word := self._line.recv(WORD_BYTES)):
                pid = int(word)
        return pid


def _is_living_child(pid: int) -> bool:
    if not pid:
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False


def wait_for_turn(line: socket.socket) -> None:
    """Called in the process that waits: returns when its turn has come.  It ends when the supervisor is gone.

    In a process group of its own: that of the dead server is killed by the supervisor.
    """
    os.setpgid(0, 0)
    line.send(str(os.getpid()).encode(), socket.MSG_DONTWAIT)
    while word := line.recv(WORD_BYTES):
        if int(word) == os.getpid():
            running.end_with_parent()
            return
    os._exit(0)
