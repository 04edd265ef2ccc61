"""Files leave through ``sendfile``: the kernel hands them to the socket, a piece whenever there is room for one.

So do large answers from memory: what lies in a file of memory need not be copied for each client.
"""

import asyncio
import os
import socket as sockets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

PIECE = 2 * 1024**2
SEALED_FROM = 32 * 1024
"""Bytes from which on a copy for each client costs more than another call of the kernel."""
_NOWAIT = getattr(os, "RWF_NOWAIT", 0)


class Sealed:
    """Bytes in a file of memory, which ends with this object.  Raises ``OSError`` where the system has no room."""

    __slots__ = ("file", "size")

    def __init__(self, data: bytes) -> None:
        self.file = -1
        self.size = len(data)
        self.file = os.memfd_create("packhouse")
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.file, rest) :]

    def __del__(self) -> None:
        if self.file >= 0:
            os.close(self.file)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice) -> bytes:
        start, end, _ = part.indices(self.size)
        return os.pread(self.file, end - start, start)


def seal(data: bytes) -> bytes | Sealed:
    """*data*, sealed if it is long and the system can."""
    if len(data) >= SEALED_FROM and hasattr(os, "memfd_create"):
        with suppress(OSError):  # no memory, or no descriptors: clients need them more
            return Sealed(data)
    return data


def send_now(socket: int, head: bytes, file: int, start: int, end: int) -> tuple[bytes, int]:
    """Write *head* and what *file* has at hand of a first piece, together; returns what is left of the head, and where
    the rest of the file begins.

    Raises ``OSError`` when the client is gone.
    """
    own = sockets.socket(sockets.AF_INET, sockets.SOCK_STREAM, 0, socket)
    try:
        head = head[own.send(head, sockets.MSG_MORE) :]
        if not head and start < end:
            start += os.sendfile(socket, file, start, min(PIECE, end - start))
    except BlockingIOError:
        pass
    finally:
        own.detach()
    return head, start


class FileSending:
    """Bytes *start* up to *end* of the open *file* on their way into *socket*; both descriptors are its own.

    ``done(True)`` is called when all have been handed over, ``done(False)`` when the socket or the file fails.  What
    is not in the page cache is brought there by one of *threads*, so that a slow disk does not hold up the event loop.
    """

    __slots__ = (
        "_done",
        "_end",
        "_file",
        "_is_closed",
        "_is_reading",
        "_is_waiting",
        "_loop",
        "_socket",
        "_threads",
        "at",
    )

    def __init__(
        self, socket: int, file: int, start: int, end: int, threads: ThreadPoolExecutor, done: Callable[[bool], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = socket
        self._file = file
        self.at = start
        self._end = end
        self._threads = threads
        self._done = done
        self._is_waiting = self._is_reading = self._is_closed = False

    def pump(self) -> None:
        """Send what there is room for; goes on by itself."""
        length = min(PIECE, self._end - self.at)
        if is_cached(self._file, self.at + length - 1):
            self._send(length)
        else:
            self._read_ahead(length)

    def _send(self, length: int) -> None:
        try:
            sent = os.sendfile(self._socket, self._file, self.at, length)
        except BlockingIOError:
            self._wait()
            return
        except OSError:
            sent = 0
        self.at += sent
        if sent == 0 or self.at == self._end:  # nothing at all: the file is shorter than it was
            self.close()
            self._done(self.at == self._end)
        else:
            self._wait()

    def _wait(self) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._loop.add_writer(self._socket, self.pump)

    def _stop_waiting(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._loop.remove_writer(self._socket)

    def _read_ahead(self, length: int) -> None:
        self._stop_waiting()
        self._is_reading = True
        reading = self._loop.run_in_executor(self._threads, _touch, self._file, self.at, length)
        reading.add_done_callback(lambda reading: self._has_read(length, failed=reading.exception() is not None))

    def _has_read(self, length: int, *, failed: bool) -> None:
        self._is_reading = False
        if self._is_closed:
            self._close_descriptors()
        elif failed:
            self.close()
            self._done(False)
        else:
            self._send(length)  # once at least, whatever the page cache has done since

    def close(self) -> None:
        """Let go of the descriptors; nothing more is sent."""
        if not self._is_closed:
            self._is_closed = True
            self._stop_waiting()
            if not self._is_reading:
                self._close_descriptors()

    def _close_descriptors(self) -> None:
        os.close(self._socket)
        os.close(self._file)


def is_cached(file: int, at: int) -> bool:
    """Whether reading there would not wait for a disk; true where the system cannot tell."""
    if not _NOWAIT:
        return True
    try:
        os.preadv(file, [bytearray(1)], at, _NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _touch(file: int, at: int, length: int) -> None:
    """Have the kernel read this piece now and the next ones soon."""
    os.posix_fadvise(file, at, 8 * length, os.POSIX_FADV_WILLNEED)
    os.pread(file, length, at)
