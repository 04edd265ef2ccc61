"""A client's connection: what it has sent, whose turn it is, and when it ends."""

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httptools
import structlog

from packhouse.server import wire
from packhouse.server.request import UNREAD, Headers, read_target
from packhouse.server.sending import PIECE, FileSending, Sealed, is_cached, send_now
from packhouse.server.turn import Turn

if TYPE_CHECKING:
    from packhouse.server.worker import Server

log: Any = structlog.get_logger(__name__)

_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")}
_JOINED = 64 * 1024
"""Bodies up to this size are copied behind their head; larger ones go out beside it."""
_LINGERING = 5
_OVERHEAD = 16
"""Bytes of chunk sizes, extensions and trailers that may come for each byte of a chunked body."""


class Connection(asyncio.Protocol):
    """One connection.  Requests are answered one after another; one that came early waits for its turn.

    Everything happens on the event loop's thread.
    """

    __slots__ = (
        "_alive",
        "_answered",
        "_body_bytes",
        "_descriptor",
        "_drained",
        "_fed",
        "_fields",
        "_incoming",
        "_is_advancing",
        "_is_ended",
        "_is_in_head",
        "_is_paused",
        "_is_reading_paused",
        "_is_starting",
        "_messages",
        "_packet",
        "_parser",
        "_progress",
        "_seen",
        "_sending",
        "_stays",
        "_transport",
        "_url",
        "_waiting",
        "client",
        "due",
        "is_cut",
        "is_last",
        "is_lost",
        "server",
        "turn",
    )

    def __init__(self, server: "Server", *, stays: bool = False) -> None:
        """*stays*: another worker has passed the client on, and nobody passes it on again."""
        self.server = server
        self._stays = stays
        self.client = ""
        self.due = 0
        self.turn: Turn | None = None
        self.is_lost = self.is_cut = self.is_last = False
        self._transport: Any = None
        self._descriptor = -1
        self._parser: Any = None
        self._waiting: deque[Turn] | None = None
        self._incoming: Turn | None = None
        self._sending: FileSending | None = None
        self._drained: list[Callable[[], None]] | None = None
        self._is_in_head = True
        self._is_starting = True  # no byte of the next request has come
        self._is_ended = self._is_paused = self._is_reading_paused = self._is_advancing = False
        self._packet: bytes | None = None  # what is being read, when a request begins with it
        self._messages = 0
        self._answered: Turn | None = None
        self._alive = server.wheel.now
        self._progress = 0
        self._seen = (-1, -1)
        self._fed = self._body_bytes = 0  # of this message, beyond the packet that it began in
        self._url = b""
        self._fields = Headers()

    # -- asyncio ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        if not self._stays and self.server.pass_on(transport.get_extra_info("socket").fileno()):
            transport.abort()  # here; the client's connection is the other's now
            return
        transport.set_write_buffer_limits(0)
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self.client = f"[{peer[0]}]:{peer[1]}" if ":" in peer[0] else f"{peer[0]}:{peer[1]}"
        self.server.welcome(self)

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = self.is_cut = True
        self.server.farewell(self)
        if self._sending is not None:
            self._sending.close()
            self._sending = None
        self.resume_writing()
        for turn in (self.turn, self._incoming):
            if turn is not None:
                turn.cut()
        self.turn = self._incoming = self._waiting = self._parser = None

    def eof_received(self) -> bool:
        """The client says no more; what it asked for is still answered."""
        self.is_cut = self.is_last = True
        if self._incoming is not None and not self._incoming.is_complete:
            self._incoming.cut()
        return self.turn is not None and not self._is_ended

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._progress += 1
        waiting, self._drained = self._drained, None
        for call in waiting or ():
            call()

    def data_received(self, data: bytes) -> None:
        if self._is_starting and self.turn is None and not self.is_last and self.server.recall(data, self):
            self._alive = self.server.wheel.now
            return
        if not self._is_ended:
            self._read(data)

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read(self, data: bytes) -> None:
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        self._packet = data if self._is_starting else None
        self._messages = 0
        self._is_starting = False
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_last = True  # another protocol would begin here, but none is spoken
        except httptools.HttpParserError as error:
            self._refuse_to_read(400, str(error))
        self._check_size()
        self._let_remember(data)

    def _check_size(self) -> None:
        if self._is_in_head:
            if self._fed > self.server.limits.head_bytes:
                self._refuse_to_read(431, self._too_large())
        elif self._fed > self.server.limits.head_bytes + (1 + _OVERHEAD) * self._body_bytes:
            self._refuse_to_read(400, "the body comes in too many small pieces")

    def _let_remember(self, packet: bytes) -> None:
        """What was one request and nothing else may be known again by its bytes."""
        turn, self._answered = self._answered, None
        if turn is None or turn.ready is None or self._packet is None or self.is_last:
            return
        if self._messages == 1 and self._is_starting and turn.keeps_alive and turn.http_version == "1.1":
            self.server.remember(packet, turn.ready)

    def on_message_begin(self) -> None:
        self._is_in_head, self._is_starting = True, False
        self._url = b""
        self._fields = Headers()
        self._fed = self._body_bytes = 0
        self._messages += 1

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_in_head:  # else it is a trailer, which nobody needs
            self._fields.add(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        if self._is_ended:
            return
        turn, status, reason = self._understood()
        self._incoming = turn
        if turn is None:
            self._refuse_to_read(status, reason)
        elif turn.has_body:
            self._take(turn)

    def _understood(self) -> tuple[Turn | None, int, str]:
        """The turn that the head asks for, or why there is none."""
        if self._is_too_large():
            return None, 431, self._too_large()
        fields, version = self._fields, self._parser.get_http_version()
        if version not in ("1.1", "1.0"):
            return None, 400, f"HTTP/{version} is not spoken here"
        target = read_target(self._url)
        if target is None:
            return None, 400, "the target is neither a path nor an http address"
        method = self._parser.get_method()
        turn = Turn(self, _METHODS.get(method) or method.decode("latin-1"), version, target, fields)
        turn.keeps_alive = self._parser.should_keep_alive()
        if "transfer-encoding" in fields:
            turn.expect_body(None)
        elif (length := fields.get("content-length", "0")) != "0":
            turn.expect_body(int(length))
        return turn, 0, ""

    def _too_large(self) -> str:
        limits = self.server.limits
        return f"at most {limits.head_bytes} bytes and {limits.fields} fields"

    def _is_too_large(self) -> bool:
        fields, limits = self._fields, self.server.limits
        if len(fields) + len(fields.again) > limits.fields:
            return True
        if self._packet is not None and len(self._packet) <= limits.head_bytes:
            return False
        return len(self._url) + sum(len(name) + len(text) for name, text in fields.items()) > limits.head_bytes

    def on_body(self, piece: bytes) -> None:
        self._body_bytes += len(piece)
        if self._incoming is not None:
            self._incoming.feed(piece)
            self.regulate()

    def on_message_complete(self) -> None:
        turn, self._incoming = self._incoming, None
        self._is_starting = self._is_in_head = True
        self._fed = 0
        if turn is None or self._is_ended:
            return
        turn.end()
        if not turn.has_body:
            self._take(turn)
            self._answered = turn

    def regulate(self) -> None:
        """Read from the socket only while there is room for what comes."""
        if self.is_lost:
            return
        full = bool(self._waiting) or (self._incoming is not None and self._incoming.is_full)
        if full != self._is_reading_paused:
            self._is_reading_paused = full
            if full:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # -- turns ------------------------------------------------------------------------------------------------------

    def _take(self, turn: Turn) -> None:
        if self.turn is None:
            self._begin(turn)
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(turn)
        self.regulate()

    def _begin(self, turn: Turn) -> None:
        self.turn = turn
        if not (turn.is_complete and self.server.answer_now(turn)):
            self.server.run(turn)

    def finish(self, turn: Turn) -> None:
        """*turn* is answered in full: the next one may begin, or the connection ends."""
        self.turn = None
        self._alive = self.server.wheel.now
        turn.drop_body()
        if not turn.keeps_alive or self.is_last:
            self._end(is_read=turn.is_complete)
            return
        if self._waiting and not self._is_advancing:
            self._advance()

    def _advance(self) -> None:
        """Take those that have waited, one after another, as far as they are answered at once."""
        self._is_advancing = True
        while self._waiting and self.turn is None and not self._is_ended:
            self._begin(self._waiting.popleft())
        self._is_advancing = False
        self.regulate()

    def _end(self, *, is_read: bool) -> None:
        """Close after what was written.  While the client still sends, that would lose it the answer: wait a little."""
        self._is_ended = self.is_last = True
        self._waiting = None
        if is_read or self.is_cut:
            self._transport.close()
            return
        self._transport.write_eof()
        self._alive = self.server.wheel.now
        self._is_reading_paused = False
        self._transport.resume_reading()

    def _refuse_to_read(self, status: int, reason: str) -> None:
        """What was sent is no request: say so, unless an answer is under way, and end."""
        if self._is_ended:
            return
        if self.turn is None:
            self.refuse(status, reason=reason)
        else:
            self.is_last = self.is_cut = self._is_ended = True
            self.turn.cut()

    def refuse(self, status: int, *more: wire.Header, reason: str = "") -> None:
        """End with a short answer of the server's own, which tells the *reason*."""
        if self.is_lost:
            return
        self.turn = None
        self._transport.write(wire.refusal(status, *more, reason=reason))
        self._end(is_read=False)

    def drain(self) -> None:
        """End now if nothing is under way, else after the answer."""
        self.is_last = True
        if self.turn is None and self._is_starting and not self._is_ended:
            self._is_ended = True
            self._transport.close()

    @property
    def is_idle(self) -> bool:
        return self.turn is None and self._is_starting

    def abort(self) -> None:
        self._is_ended = True
        self._transport.abort()

    # -- writing ----------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if not self.is_lost:
            self._transport.write(data)

    def send(self, head: bytes, more: bytes, body: bytes | Sealed) -> None:
        """Answer what was never read: a ready *head*, *more* header lines, and *body*."""
        if isinstance(body, Sealed):
            self.put_sealed(None, b"%b%b%b\r\n" % (head, self.server.date, more), body)
        else:
            self.put(head + self.server.date, more, body)

    def send_file(self, head: bytes, more: bytes, file: int, start: int, end: int) -> None:
        """The same with a part of an open *file*, which is closed in the end whatever happens."""
        self._anonymous_turn().send_file(head, more, file, start, end)

    def _anonymous_turn(self) -> Turn:
        turn = self.turn = Turn(self, "GET", "1.1", UNREAD, Headers())
        turn.is_complete = True
        return turn

    def put(self, head: bytes, more: bytes, body: bytes) -> None:
        """Write an answer whole: *head* up to the last header line but *more*, the empty line, and *body*."""
        if self.is_lost:
            return
        if len(body) <= _JOINED:
            self._transport.write(b"%b%b\r\n%b" % (head, more, body))
        else:
            self._transport.writelines((b"%b%b\r\n" % (head, more), body))

    async def drained(self) -> None:
        """Wait until what was written has left this process.  Raises ``ConnectionResetError`` if it never will."""
        if self._is_paused and not self.is_lost:
            waiter = asyncio.get_running_loop().create_future()
            self._when_drained(lambda: None if waiter.done() else waiter.set_result(None))
            await waiter
        if self.is_lost:
            raise ConnectionResetError("the client is gone")

    def _when_drained(self, call: Callable[[], Any]) -> None:
        if self._drained is None:
            self._drained = []
        self._drained.append(call)

    @property
    def is_sending_file(self) -> bool:
        return self._sending is not None

    def put_file(self, turn: Turn, head: bytes, file: int, start: int, end: int) -> None:
        """Write *head*, then a part of *file* straight from the page cache; *turn* is finished by it."""
        if self.is_lost:
            os.close(file)
            return
        if end - start <= PIECE and is_cached(file, end - 1):
            try:
                head, start = self._put_now(head, file, start, end)
            except OSError:
                os.close(file)
                self.abort()
                return
        if head or start < end:
            self._put_in_pieces(turn, head, file, start, end)
        else:
            os.close(file)
            self.finish(turn)

    def put_sealed(self, turn: Turn | None, head: bytes, body: Sealed) -> None:
        """The same with bytes in memory; without a *turn* for what was never read."""
        if self.is_lost:
            return
        start, whole = 0, head
        try:
            if body.size <= PIECE:
                head, start = self._put_now(head, body.file, 0, body.size)
            file = os.dup(body.file) if head or start < body.size else -1
        except OSError:
            self._refuse_file() if head is whole else self.abort()
            return
        if file >= 0:
            self._put_in_pieces(turn or self._anonymous_turn(), head, file, start, body.size)
        elif turn is not None:
            self.finish(turn)

    def _put_now(self, head: bytes, file: int, start: int, end: int) -> tuple[bytes, int]:
        """All that the socket takes at once, if nothing else waits to be written; returns what is left."""
        if self._is_paused or self._transport.get_write_buffer_size():
            return head, start
        if self._descriptor < 0:
            self._descriptor = self._transport.get_extra_info("socket").fileno()
        return send_now(self._descriptor, head, file, start, end)

    def _put_in_pieces(self, turn: Turn, head: bytes, file: int, start: int, end: int) -> None:
        try:
            socket = os.dup(self._transport.get_extra_info("socket").fileno())
        except OSError:
            os.close(file)
            self._refuse_file() if head else self.abort()
            return
        if head:
            self._transport.write(head)
        self._sending = FileSending(socket, file, start, end, self.server.threads, lambda ok: self._sent(turn, ok=ok))
        if start == end:
            self._sending.close()
            self._sent(turn, ok=True)
        elif self._is_paused:
            self._when_drained(self._pump)
        else:
            self._sending.pump()

    def _refuse_file(self) -> None:
        """This process may open no more."""
        self.refuse(503, ("retry-after", "2"))

    def _pump(self) -> None:
        if self._sending is not None:
            self._sending.pump()

    def _sent(self, turn: Turn, *, ok: bool) -> None:
        self._sending = None
        if self.is_lost:
            return
        if ok:
            self.finish(turn)
        else:
            self.abort()

    # -- time -------------------------------------------------------------------------------------------------------

    def look(self, now: int) -> int:
        """Called by the wheel."""
        limits = self.server.limits
        if self.is_lost:
            return 0
        if self._is_paused or self._sending is not None:
            return self._look_at_progress(limits.send_seconds)
        if self.turn is not None:
            self._seen = (-1, -1)
            return limits.head_seconds
        left = self._alive + (min(_LINGERING, limits.head_seconds) if self._is_ended else limits.head_seconds) - now
        if left > 0:
            return left
        self.abort()
        return 0

    def _look_at_progress(self, seconds: int) -> int:
        """Whether the client has taken anything since the last look."""
        at = self._progress if self._sending is None else self._sending.at
        place = (at, self._transport.get_write_buffer_size())
        if place == self._seen:
            self.abort()
            return 0
        self._seen = place
        return seconds
