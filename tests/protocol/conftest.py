"""A filled index that all tests here read: live over sockets, and in process with other settings on the same home."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from tests.protocol import shelf, wire
from tests.servers import packhouse

from packhouse.config import Config
from packhouse.dataplane.asgi import Asgi
from packhouse.dataplane.rsgi import FrontDoor, front_door

ENVIRONMENT = {
    "PACKHOUSE_IDLE_TIMEOUT": "2",
    "PACKHOUSE_HEADER_TIMEOUT": "2",
    "PACKHOUSE_THREADS": "2",
    "PACKHOUSE_DRAIN_SECONDS": "5",
    "PACKHOUSE_FILE_SIZE_LIMIT": "8MiB",
    "PACKHOUSE_MAX_BODY_SIZE": "9MiB",
}


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest) -> Callable[[str], str | None]:
    """Makes the database of one more live server: None (its home's) on SQLite."""
    if request.config.getoption("--database") == "sqlite":
        return lambda _: None
    cluster = request.getfixturevalue("postgres_server")
    return lambda name: cluster.create_database(f"{name}_{os.getpid()}")


@pytest.fixture(scope="session")
def index(
    tmp_path_factory: pytest.TempPathFactory, new_database: Callable[[str], str | None]
) -> Iterator[packhouse.Running]:
    """A live index with one process, two threads and short time-outs; ``filled`` says what is in it."""
    home = tmp_path_factory.mktemp("protocol") / "home"
    with packhouse.running(home, database=new_database("protocol"), env=ENVIRONMENT) as running:
        yield running


@pytest.fixture(scope="session")
def filled(index: packhouse.Running) -> shelf.Shelf:
    return shelf.fill(index)


@pytest.fixture
def get(index: packhouse.Running, filled: shelf.Shelf) -> Callable[..., wire.Answer]:
    """``get(target, method=…, Accept=…)`` asks the live, filled index over a socket."""
    return lambda target, **request: wire.ask(index.url, target, **request)


@dataclass(slots=True)
class InProcess:
    """A front door in this process, on a home that a live server fills."""

    door: FrontDoor
    runner: asyncio.Runner

    def get(self, path: str, *, method: str = "GET", query: str = "", **headers: str) -> wire.Answer:
        return self.runner.run(self.ask(path, method=method, query=query, **headers))

    async def ask(self, path: str, *, method: str = "GET", query: str = "", **headers: str) -> wire.Answer:
        """One request through the ASGI adapter."""
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        pairs = {"host": "packages.example"} | {name.replace("_", "-").lower(): text for name, text in headers.items()}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in pairs.items()],
            "client": ("127.0.0.1", 1),
        }
        await Asgi(self.door)(scope, receive, send)
        start, *rest = sent
        found = [(name.decode(), text.decode("latin-1")) for name, text in start["headers"]]
        return wire.Answer(start["status"], found, b"".join(message.get("body", b"") for message in rest))


@pytest.fixture
def in_process(index: packhouse.Running, filled: shelf.Shelf) -> Iterator[Callable[..., InProcess]]:
    """``in_process(index_max_age=600, …)`` is a front door with those settings on the home of the filled index.

    ``on`` names another live index.
    """
    with ExitStack() as stack:

        def make(on: packhouse.Running = index, **settings: Any) -> InProcess:
            if on.database:
                settings.setdefault("database", on.database)
            config = Config(home=on.home, **{"public_url": on.url, "access_log": False} | settings)
            door = front_door(config)
            stack.callback(door.store.reader.close)
            return InProcess(door, stack.enter_context(asyncio.Runner()))

        yield make
