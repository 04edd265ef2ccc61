"""A server and its client on one event loop, over a real socket."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import uvloop

from packhouse.server import master
from packhouse.server.worker import Limits, Server

Talk = Callable[["Client"], Awaitable[None]]


class Application:
    """Answers by *answer*, a coroutine function of a turn, and notes the turns."""

    def __init__(self, answer: Callable[[Any], Awaitable[None]]) -> None:
        self.answer = answer
        self.turns: list[Any] = []

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        assert scope is proto
        self.turns.append(scope)
        await self.answer(scope)


class Client:
    """Connections to *server*, which the conversation may also look at."""

    def __init__(self, server: Server, port: int, stop: asyncio.Event) -> None:
        self.server = server
        self.port = port
        self.stop = stop
        self._writers: list[asyncio.StreamWriter] = []

    async def connect(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        self._writers.append(writer)
        return reader, writer

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def say(self, *packets: bytes) -> bytes:
        """All that is answered to *packets*, sent one by one, until the server closes."""
        reader, writer = await self.connect()
        with suppress(ConnectionError):
            for packet in packets:
                writer.write(packet)
                await writer.drain()
                await self.pause()
        said = b""
        try:
            while more := await asyncio.wait_for(reader.read(1 << 16), 20):
                said += more
        except ConnectionError:
            pass
        writer.close()
        return said

    async def pause(self, rounds: int = 8) -> None:
        """Let the server read what has been sent."""
        for _ in range(rounds):
            await asyncio.sleep(0.001)

    def pass_time(self, seconds: int) -> None:
        """The server's clock goes on."""
        for _ in range(seconds):
            self.server.wheel.turn()


def serve(application: Any, talk: Talk, **limits: int) -> None:
    """Serve *application* while *talk* lasts, then drain; all has to end in good order."""

    async def main() -> None:
        [listening] = master.listen("127.0.0.1", 0, 1)
        server, stop, ready = Server(application, Limits(**limits), second=3600), asyncio.Event(), asyncio.Event()
        serving = asyncio.ensure_future(server.serve(listening, stop, ready.set))
        await ready.wait()
        client = Client(server, port_of(listening), stop)
        try:
            await asyncio.wait_for(talk(client), 60)
        finally:
            client.close()
            stop.set()
            await asyncio.wait_for(serving, 20)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


def statuses(said: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3})", said)]


def get(path: str = "/", *headers: str, version: str = "1.1", method: str = "GET") -> bytes:
    lines = (f"{method} {path} HTTP/{version}", "Host: h", *headers, "", "")
    return "\r\n".join(lines).encode()


def post(body: bytes, *headers: str, path: str = "/") -> bytes:
    return get(path, f"Content-Length: {len(body)}", *headers, method="POST") + body
