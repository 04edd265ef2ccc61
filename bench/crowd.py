"""A crowd at the door: idle connections, slow downloads and trickling uploads, while a hot page is asked for.

``python -m bench.crowd URL TOKEN HOT_PATH LARGE_PATH`` prints the hot page's latency alone and in the crowd.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import random
import resource
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit


@dataclass(slots=True)
class Crowd:
    """How many of each kind stood at the door at the end, and what was cut off or refused meanwhile."""

    idle: int = 0
    downloads: int = 0
    uploads: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds."""

    p50: float
    p99: float
    count: int


class Client:
    """Everything that happens at one address."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.authorization = base64.b64encode(f"__token__:{token}".encode()).decode()
        self.crowd = Crowd()

    async def connect(self, limit: int = 65536) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.host, self.port, limit=limit)

    def request(self, method: str, path: str, *headers: str) -> bytes:
        lines = (f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}", *headers, "", "")
        return "\r\n".join(lines).encode()

    async def idle(self, path: str) -> None:
        """Keep a connection alive, with a request every few seconds."""
        while True:
            reader, writer = await self.connect()
            self.crowd.idle += 1
            try:
                while True:
                    await _get(reader, writer, self.request("GET", path))
                    await asyncio.sleep(random.uniform(4, 8))
            except (OSError, asyncio.IncompleteReadError):
                self.crowd.lost += 1
            finally:
                self.crowd.idle -= 1
                writer.close()

    async def download(self, path: str) -> None:
        """Read a large file at ten kilobytes a second."""
        while True:
            reader, writer = await self.connect(limit=16384)
            self.crowd.downloads += 1
            try:
                writer.write(self.request("GET", path))
                while await reader.read(5000):  # noqa: ASYNC110 - nobody to wait for
                    await asyncio.sleep(0.5)
            except OSError:
                self.crowd.lost += 1
            finally:
                self.crowd.downloads -= 1
                writer.close()

    async def upload(self) -> None:
        """Send a body at a byte a second, again whenever that is cut off."""
        head = self.request(
            "POST",
            "/legacy/",
            f"Authorization: Basic {self.authorization}",
            "Content-Type: multipart/form-data; boundary=b",
            "Content-Length: 100000",
        )
        while True:
            _, writer = await self.connect()
            self.crowd.uploads += 1
            try:
                writer.write(head)
                while True:
                    writer.write(b"-")
                    await writer.drain()
                    await asyncio.sleep(1)
            except OSError:
                pass
            finally:
                self.crowd.uploads -= 1
                writer.close()

    async def measure(self, path: str, seconds: float) -> Latency:
        """The latency of *path* over one connection, asked for a hundred times a second."""
        reader, writer = await self.connect()
        times = []
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            await _get(reader, writer, self.request("GET", path))
            times.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.01)
        writer.close()
        return Latency(statistics.median(times), statistics.quantiles(times, n=100)[98], len(times))


async def _get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(length)


async def hold(client: Client, options: argparse.Namespace) -> None:
    """Bring the crowd in, for as long as this task lives."""
    async with asyncio.TaskGroup() as group:
        for number in range(options.idle):
            group.create_task(client.idle(options.hot))
            if number % 200 == 199:
                await asyncio.sleep(0.1)
        for _ in range(options.downloads):
            group.create_task(client.download(options.large))
        for _ in range(options.uploads):
            group.create_task(client.upload())


async def run(options: argparse.Namespace) -> None:
    """Hold the crowd in this process; measure in another, whose loop has nothing else to do."""
    client = Client(options.url, options.token)
    command = [sys.executable, "-m", "bench.crowd", "--measure", options.url, "-", options.hot, options.large]
    alone = await _measured(command)
    crowd = asyncio.create_task(hold(client, options))
    await asyncio.sleep(options.settle)
    inside = await _measured(command)
    print(json.dumps({"alone": alone, "in the crowd": inside, "crowd": asdict(client.crowd)}))
    crowd.cancel()
    with contextlib.suppress(asyncio.CancelledError, BaseExceptionGroup):
        await crowd


async def _measured(command: list[str]) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    return json.loads(printed)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("hot", help="path of a hot page")
    parser.add_argument("large", help="path of a large file")
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--downloads", type=int, default=1000)
    parser.add_argument("--uploads", type=int, default=200)
    parser.add_argument("--settle", type=float, default=20.0, help="seconds until everybody is in")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--measure", action="store_true", help="measure only, and print the latency")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if options.measure:
        print(json.dumps(asdict(asyncio.run(Client(options.url, "").measure(options.hot, options.seconds)))))
    else:
        asyncio.run(run(options))


if __name__ == "__main__":
    main()
