"""One request and its answer, under the names that RSGI gives to a scope and a protocol."""

import asyncio
import os
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from packhouse.server import wire
from packhouse.server.request import Headers, Target
from packhouse.server.sending import Sealed
from packhouse.server.wire import Header

if TYPE_CHECKING:
    from packhouse.server.connection import Connection

_HELD = 256 * 1024
_SKIPPED = 64 * 1024
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Turn:
    """What an application gets as ``scope`` and as ``proto``.

    ``is_complete`` says that all of the request is here, ``keeps_alive`` that another one may follow on the connection.
    An application that answers at once may leave in ``ready`` what it needs to answer the same bytes again, and in
    ``phrase`` another reason phrase than the standard's.
    """

    __slots__ = (
        "_bodiless",
        "_chunked",
        "_chunks",
        "_connection",
        "_expects",
        "_held",
        "_left",
        "_room",
        "_waiter",
        "authority",
        "has_body",
        "headers",
        "http_version",
        "is_answered",
        "is_broken",
        "is_complete",
        "keeps_alive",
        "method",
        "path",
        "phrase",
        "query_string",
        "ready",
        "to_come",
    )
    proto = "http"
    scheme = "http"

    def __init__(self, connection: "Connection", method: str, version: str, target: Target, headers: Headers) -> None:
        self._connection = connection
        self.method = method
        self.http_version = version
        self.path = target.path
        self.query_string = target.query
        self.authority = target.authority
        self.headers = headers
        self.ready: Any = None
        self.phrase = ""
        self.keeps_alive = True
        self.has_body = self.is_complete = self.is_answered = self.is_broken = False
        self.to_come: int | None = 0
        self._chunks: deque[bytes] | None = None
        self._held = 0
        self._waiter: asyncio.Future[None] | None = None
        self._expects = False
        self._chunked = self._bodiless = False
        self._left: int | None = None

    @property
    def client(self) -> str:
        """Address and port of the other end."""
        return self._connection.client

    # -- the request's body ---------------------------------------------------------------------------------------

    def expect_body(self, length: int | None) -> None:
        """A body follows, of *length* bytes if that is known."""
        self.has_body = True
        self.to_come = length
        self._chunks = deque()
        self._expects = self.headers.get("expect", "").lower() == "100-continue"

    def feed(self, piece: bytes) -> None:
        """A piece of the body has come."""
        if self.to_come is not None:
            self.to_come -= len(piece)
        self._expects = False
        if self._chunks is not None and not self.is_answered_in_full:
            self._chunks.append(piece)
            self._held += len(piece)
            self._wake()

    def end(self) -> None:
        """All of the body has come."""
        self.is_complete = True
        self._wake()

    @property
    def is_full(self) -> bool:
        """Whether so much of the body waits here that no more shall be read from the socket."""
        return self._held > _HELD

    @property
    def is_answered_in_full(self) -> bool:
        return self._connection.turn is not self and self.is_answered

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> "Turn":
        return self

    async def __anext__(self) -> bytes:
        """The next piece of the body.  Raises ``ConnectionResetError`` when the client is gone before its end."""
        while not self._chunks:
            if self.is_complete:
                raise StopAsyncIteration
            if self._connection.is_cut:
                raise ConnectionResetError("the client sent no more")
            if self._expects and not self.is_answered:
                self._expects = False
                self._connection.write(_CONTINUE)
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        piece = self._chunks.popleft()
        self._held -= len(piece)
        self._connection.regulate()
        return piece

    async def __call__(self) -> bytes:
        """The whole body."""
        return b"".join([piece async for piece in self])

    def drop_body(self) -> None:
        """Nobody asks for what has come of the body."""
        if self._chunks:
            self._chunks.clear()
            self._held = 0

    def cut(self) -> None:
        """No more will come."""
        self._wake()

    # -- the answer -----------------------------------------------------------------------------------------------

    def response_empty(self, status: int, headers: list[Header]) -> None:
        length = None if self.method == "HEAD" or status < 200 else 0
        self.send(wire.head(status, headers, length, self.phrase), b"", b"")

    def response_bytes(self, status: int, headers: list[Header], body: bytes | Sealed) -> None:
        self.send(wire.head(status, headers, len(body), self.phrase), b"", b"" if self.method == "HEAD" else body)

    def response_str(self, status: int, headers: list[Header], body: str) -> None:
        self.response_bytes(status, headers, body.encode())

    def response_file(self, status: int, headers: list[Header], path: str) -> None:
        self._send_file(status, headers, path, 0, None)

    def response_file_range(self, status: int, headers: list[Header], path: str, start: int, end: int) -> None:
        self._send_file(status, headers, path, start, end)

    def _send_file(self, status: int, headers: list[Header], path: str, start: int, end: int | None) -> None:
        file = os.open(path, os.O_RDONLY)
        end = os.fstat(file).st_size if end is None else end
        try:
            head = wire.head(status, headers, end - start)
        except ValueError:
            os.close(file)
            raise
        self.send_file(head, b"", file, start, start if self.method == "HEAD" else end)

    def response_stream(self, status: int, headers: list[Header]) -> "Turn":
        head = wire.head(status, headers, phrase=self.phrase)
        self._left = wire.length_of(head)
        self._bodiless = self.method == "HEAD" or status in (204, 304)
        self._chunked = self._left is None and self.http_version == "1.1" and not self._bodiless
        if self._chunked:
            head += b"transfer-encoding: chunked\r\n"
        elif self._left is None:
            self.keeps_alive = False
        self._connection.write(self.begin(head) + b"\r\n")
        return self

    def send(self, head: bytes, more: bytes, body: bytes | Sealed) -> None:
        """Answer with a ready *head*, *more* header lines and all of the body at once."""
        head = self.begin(head)
        if isinstance(body, Sealed):
            self._connection.put_sealed(self, b"%b%b\r\n" % (head, more), body)
            return
        self._connection.put(head, more, body)
        self._connection.finish(self)

    def send_file(self, head: bytes, more: bytes, file: int, start: int, end: int) -> None:
        """Answer with a ready *head*, *more* header lines and a part of an open *file*, which is closed in the end."""
        try:
            head = self.begin(head)
        except RuntimeError:
            os.close(file)
            raise
        self._connection.put_file(self, b"%b%b\r\n" % (head, more), file, start, end)

    def begin(self, head: bytes) -> bytes:
        """The *head* with the lines of the connection; from here on there is no other answer."""
        if self.is_answered:
            self.is_broken = True
            raise RuntimeError("the answer has begun already")
        self.is_answered = True
        if not self.is_complete and (self.to_come is None or self.to_come > _SKIPPED):
            self.keeps_alive = False
        if self._connection.is_last:
            self.keeps_alive = False
        head += self._connection.server.date
        if not self.keeps_alive:
            return head + b"connection: close\r\n"
        return head if self.http_version == "1.1" else head + b"connection: keep-alive\r\n"

    async def send_bytes(self, piece: bytes) -> None:
        """Send a piece of a stream; waits while the client does not take it."""
        if self._connection.is_lost:
            raise ConnectionResetError("the client is gone")
        if self._left is not None:
            self._left -= len(piece)
        if piece and not self._bodiless:
            self._connection.write(b"%x\r\n%b\r\n" % (len(piece), piece) if self._chunked else bytes(piece))
            await self._connection.drained()

    async def send_str(self, piece: str) -> None:
        await self.send_bytes(piece.encode())

    def close_stream(self) -> None:
        """The application has returned: end a stream, or say that nothing was said."""
        if self._connection.turn is not self or self._connection.is_sending_file:
            return
        if not self.is_answered:
            with suppress(RuntimeError):
                self.keeps_alive = False
                self._connection.refuse(500)
            return
        if self.is_broken or (self._left not in (None, 0) and not self._bodiless):
            self._connection.abort()  # what was sent is not all, and must not look as if it were
            return
        if self._chunked:
            self._connection.write(b"0\r\n\r\n")
        self._connection.finish(self)
