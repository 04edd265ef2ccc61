"""The same front door for any ASGI server: ASGI's messages dressed as RSGI objects."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from packhouse.dataplane.http import Header
from packhouse.dataplane.rsgi import FrontDoor
from packhouse.server.sending import Sealed

Message = MutableMapping[str, Any]
_CHUNK = 256 * 1024


class _Headers:
    """ASGI's header list under RSGI's names."""

    def __init__(self, pairs: list[tuple[bytes, bytes]]) -> None:
        self._pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs]

    def get(self, name: str, default: str | None = None) -> str | None:
        return next((value for key, value in self._pairs if key == name), default)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def keys(self) -> list[str]:
        return [key for key, _ in self._pairs]

    def items(self) -> list[tuple[str, str]]:
        return self._pairs


class _Scope:
    """An ASGI scope under RSGI's names."""

    proto = "http"
    authority = None  # ASGI servers put it into Host

    def __init__(self, scope: Message) -> None:
        self.http_version: str = scope["http_version"]
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query_string: str = scope["query_string"].decode("latin-1")
        self.headers = _Headers(scope["headers"])
        host, port = scope.get("client") or ("127.0.0.1", 0)
        self.client = f"{host}:{port}"


class _Stream:
    """RSGI's stream transport."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send

    async def send_bytes(self, chunk: bytes) -> None:
        await self._send({"type": "http.response.body", "body": chunk, "more_body": True})


class _Protocol:
    """RSGI's protocol object: notes the response, which ``finish`` then sends."""

    def __init__(self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
        self._receive = receive
        self._send = send
        self._start: Message | None = None
        self._begun = False
        self._body = b""
        self._file: tuple[str, int, int | None] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._receive()
            more = message.get("more_body", False)
            yield message.get("body", b"")

    def _note(self, status: int, headers: list[Header]) -> None:
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self._start = {"type": "http.response.start", "status": status, "headers": pairs}

    def response_empty(self, status: int, headers: list[Header]) -> None:
        self._note(status, headers)

    def response_bytes(self, status: int, headers: list[Header], body: bytes | Sealed) -> None:
        self._note(status, headers)
        self._body = body[:]

    def response_file(self, status: int, headers: list[Header], path: str) -> None:
        self._note(status, headers)
        self._file = (path, 0, None)

    def response_file_range(self, status: int, headers: list[Header], path: str, start: int, end: int) -> None:
        self._note(status, headers)
        self._file = (path, start, end)

    def response_stream(self, status: int, headers: list[Header]) -> "_Stream":
        self._note(status, headers)
        return _LazyStream(self)

    async def begin(self) -> None:
        if not self._begun and self._start is not None:
            self._begun = True
            await self._send(self._start)

    async def finish(self) -> None:
        await self.begin()
        if self._file is not None:
            await self._send_file(*self._file)
        await self._send({"type": "http.response.body", "body": self._body})

    async def _send_file(self, path: str, start: int, end: int | None) -> None:
        with Path(path).open("rb") as file:  # noqa: ASYNC230 - page cache; our own server is the one for production
            file.seek(start)
            left = -1 if end is None else end - start
            while left and (chunk := file.read(_CHUNK if left < 0 else min(_CHUNK, left))):
                left -= len(chunk) if left > 0 else 0
                await _Stream(self._send).send_bytes(chunk)

    @property
    def send(self) -> Callable[[Message], Awaitable[None]]:
        return self._send


class _LazyStream(_Stream):
    """A stream that sends the head of the response before its first chunk."""

    def __init__(self, protocol: _Protocol) -> None:
        super().__init__(protocol.send)
        self._protocol = protocol

    async def send_bytes(self, chunk: bytes) -> None:
        await self._protocol.begin()
        await super().send_bytes(chunk)


class Asgi:
    """An ASGI application around *front*."""

    def __init__(self, front: FrontDoor) -> None:
        self.front = front

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            protocol = _Protocol(receive, send)
            await self.front.__rsgi__(_Scope(scope), protocol)
            await protocol.finish()

    async def _live(
        self, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.front.__rsgi_init__(loop)
                await send({"type": "lifespan.startup.complete"})
            else:
                self.front.__rsgi_del__(loop)
                await send({"type": "lifespan.shutdown.complete"})
                return
