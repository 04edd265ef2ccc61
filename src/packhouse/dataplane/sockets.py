"""What a connection may do that the server has no clock for."""

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path


def cut_off_who_never_reads(seconds: float) -> bool:
    """Have the kernel end connections whose client takes nothing for *seconds*; false while there is no listener.

    The server waits for ever until it can write, and such a client would keep its connection, a file and what waits to
    be sent.  The option of the listening socket (tcp(7), ``TCP_USER_TIMEOUT``) is inherited by what it accepts; the
    server makes that socket itself and does not show it, so it is looked for.  Elsewhere than on Linux nothing is done.
    """
    if sys.platform != "linux":
        return True
    found = False
    for listener in _listeners():
        with listener, suppress(OSError):  # not of TCP
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
            found = True
    return found


def _listeners() -> list[socket.socket]:
    """Duplicates of this process's listening sockets."""
    found = []
    for path in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # closed by now
            if path.is_socket():
                each = socket.socket(fileno=os.dup(int(path.name)))
                if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found.append(each)
                else:
                    each.close()
    return found
