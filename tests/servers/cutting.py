"""A proxy in front of a server that cuts connections at the worst moment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65536


class Cutter:
    """Passes bytes between clients and the server on ``target`` (a loopback port) until told otherwise.

    After ``cut_after(word)`` the next connection on which a client sends *word* loses its answer: the server gets the
    request and answers, and then both are closed.  ``swallow()`` is a network that goes away.  ``refusing`` closes
    all connections and takes no new ones.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.cuts = 0
        self.refusing = False
        self._word: bytes | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut_after(self, word: bytes) -> None:
        with self._lock:
            self._word = word

    def swallow(self) -> None:
        """Pass nothing on any more, in either direction, and close nothing: a network that has gone away."""
        self._flowing.clear()

    def refuse(self) -> None:
        """Cut everything, and whoever comes, until ``relent``."""
        self.refusing = True
        for pair in list(self._pairs):
            _close(*pair)

    def relent(self) -> None:
        self.refusing = False
        self._flowing.set()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()
        self._flowing.set()
        self.refuse()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.refusing:
                _close(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target), timeout=5)
            except OSError:
                _close(client)
                continue
            server.settimeout(None)
            pair = (client, server)
            self._pairs.append(pair)
            doomed = threading.Event()
            threading.Thread(target=self._pass_requests, args=(*pair, doomed), daemon=True).start()
            threading.Thread(target=self._pass_answers, args=(*pair, doomed), daemon=True).start()

    def _pass_requests(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while chunk := client.recv(CHUNK):
                self._flowing.wait()
                if self._takes(chunk):
                    doomed.set()
                server.sendall(chunk)
        _close(client, server)

    def _takes(self, chunk: bytes) -> bool:
        with self._lock:
            if self._word is None or self._word not in chunk:
                return False
            self._word = None
            self.cuts += 1
            return True

    def _pass_answers(self, client: socket.socket, server: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while chunk := server.recv(CHUNK):
                self._flowing.wait()
                if doomed.is_set():
                    break
                client.sendall(chunk)
        _close(client, server)


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def running(target: int) -> Iterator[Cutter]:
    """A proxy in front of the loopback port *target* that lives as long as the block."""
    cutter = Cutter(target)
    try:
        yield cutter
    finally:
        cutter.close()
