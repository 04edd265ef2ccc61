"""A Redis of the tests' own, which keeps nothing."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import processes


@contextmanager
def running() -> Iterator[str]:
    """The URL of an empty Redis that lives as long as the block."""
    redis, port = processes.program("redis-server", package="redis-server"), processes.free_port()
    with tempfile.TemporaryDirectory(prefix="packhouse-redis-") as folder:
        keep_nothing = ["--save", "", "--appendonly", "no", "--dir", folder]
        server = processes.start(
            [redis, "--bind", "127.0.0.1", "--port", str(port), *keep_nothing],
            log=Path(folder) / "log",
            ready=lambda: processes.listens(port),
        )
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.stop()
