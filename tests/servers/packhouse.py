"""Packhouse itself, as people run it: ``packhouse serve`` in a process of its own, and its other commands."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.servers import processes, tables

COMMAND = (sys.executable, "-m", "packhouse.cli")


@dataclass(frozen=True, slots=True)
class Running:
    """A live index at ``url`` (no slash at its end) over the folder ``home``; ``database`` is None for its SQLite."""

    url: str
    server: processes.Server
    home: Path
    database: str | None

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.server.process

    def printed(self) -> str:
        """What the server has printed so far."""
        return self.server.printed()

    def stop(self) -> int:
        """End the server with SIGTERM and return its exit status."""
        return self.server.stop()

    def run_cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another command on this index's home and database."""
        return run_cli(self.home, *arguments, database=self.database, check=check)


def start_packhouse(
    home: Path,
    *,
    database: str | None = None,
    workers: int = 1,
    env: Mapping[str, str] | None = None,
    port: int = 0,
    works: bool = True,
    migrates: bool = False,
) -> Running:
    """Start an index, on a free loopback port unless told which, and return once it is ready.  The caller stops it.

    Unless it *works*, nobody runs its background tasks.  Unless it *migrates*, a new one finds its tables made.
    """
    port = port or processes.free_port()
    url = f"http://127.0.0.1:{port}"
    home.mkdir(parents=True, exist_ok=True)
    if not migrates:
        tables.lay(home, database, _migrate)
    serve = ("serve", "--home", str(home), "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers))
    alone = () if works else ("--no-work",)
    server = processes.start(
        [*COMMAND, *serve, *alone],
        log=home / "serve.log",
        ready=lambda: _ready(url),
        env=environment(home, database)
        | {"PACKHOUSE_PUBLIC_URL": url, "PACKHOUSE_DRAIN_NOTICE": "0"}
        | dict(env or {}),
    )
    return Running(url, server, home, database)


@dataclass(frozen=True, slots=True)
class Front:
    """The ids of a server's processes: its master (0 while there is none with workers), the lowest id first."""

    master: int
    workers: list[int]
    standbys: list[int]

    def is_whole(self, workers: int) -> bool:
        """Whether all are there."""
        return bool(self.master) and len(self.workers) == workers and len(self.standbys) == 1


def front(index: Running) -> Front:
    """Who serves now (Linux).  Workers are in the process group of their master; who stands by leads one of its own."""
    for master in sorted(_fronts(index.process.pid)):
        below = _fronts(master)
        workers = sorted(pid for pid, group in below.items() if group == master)
        if workers:
            return Front(master, workers, sorted(pid for pid, group in below.items() if group == pid))
    return Front(0, [], [])


def _fronts(top: int) -> dict[int, int]:
    """The processes of servers below *top* with their groups."""
    groups = {}
    for pid, line in processes.descendants(top).items():
        if "cli.front" in line:
            with suppress(ProcessLookupError):
                groups[pid] = os.getpgid(pid)
    return groups


@contextmanager
def running(
    home: Path,
    *,
    database: str | None = None,
    workers: int = 1,
    env: Mapping[str, str] | None = None,
    works: bool = True,
    migrates: bool = False,
) -> Iterator[Running]:
    """An index that lives as long as the block."""
    index = start_packhouse(home, database=database, workers=workers, env=env, works=works, migrates=migrates)
    try:
        yield index
    finally:
        index.stop()


def run_cli(
    home: Path,
    *arguments: str,
    database: str | None = None,
    check: bool = True,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``packhouse ARGUMENTS`` on *home*; AssertionError with what it printed if it fails and *check* is set."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home, database) | dict(env or {}),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=180,
        check=False,
    )
    assert not check or done.returncode == 0, f"packhouse {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done


def _migrate(home: Path, database: str | None) -> None:
    run_cli(home, "manage", "migrate", "--verbosity=0", database=database)


def environment(home: Path, database: str | None = None) -> dict[str, str]:
    """This process's environment without its Packhouse settings, and with those of *home*."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PACKHOUSE_", "DJANGO_"))}
    return kept | {"PACKHOUSE_HOME": str(home)} | ({"PACKHOUSE_DATABASE": database} if database else {})


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_ready/", timeout=20) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
