"""A page that no process has in memory, asked for by a crowd at once: how often is it built?"""

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench import cases

CLIENTS = 2000
WRITTEN = 2.5
"""Seconds after which a server has surely written down what it has counted."""


@dataclass(frozen=True, slots=True)
class Cold:
    """How many were answered, how often the page was built meanwhile, and the seconds until the last had it."""

    clients: int
    answered: int
    built: int
    seconds: float


async def ask(url: str, path: str, home: Path, database: str | None) -> Cold:
    """Drop the page of *path* from the memory of the server at *url*, then ask for it all at once."""
    parts = urlsplit(url)
    cases.fetch(url, path, {"Accept": cases.JSON})
    people = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(CLIENTS)]
    _touch(path.split("/")[2], home, database)
    await asyncio.sleep(WRITTEN)
    before = loads(home)
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: {cases.JSON}\r\nAccept-Encoding: gzip\r\n\r\n"
    began = time.monotonic()
    for _, writer in people:
        writer.write(request.encode())
    answered = sum(await asyncio.gather(*(_answer(reader) for reader, _ in people)))
    seconds = time.monotonic() - began
    for _, writer in people:
        writer.transport.abort()
    await asyncio.sleep(WRITTEN)
    return Cold(CLIENTS, answered, loads(home) - before, round(seconds, 2))


async def _answer(reader: asyncio.StreamReader) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return head.startswith(b"http/1.1 200")


def _touch(project: str, home: Path, database: str | None) -> None:
    """Tell every reader that the project's documents have changed."""
    environment = os.environ | ({"PACKHOUSE_DATABASE": database} if database else {})
    command = [sys.executable, "-m", "bench.load", "--touch", str(home), project]
    subprocess.run(command, env=environment, check=True)


def loads(home: Path) -> int:
    """How often a document was brought into the memory of a process, as the processes themselves count it."""
    found = 0
    for path in (home / "run").glob("*/metrics/*.json"):
        counted = json.loads(path.read_text())["counted"]["packhouse_document_cache"]
        found += next((number for result, number in counted if result == "load"), 0)
    return found
