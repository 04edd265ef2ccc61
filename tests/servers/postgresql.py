"""A PostgreSQL cluster of the tests' own: made in a temporary folder, durable for nobody."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from tests.servers import processes

LOOPBACK_ONLY = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster whose superuser ``postgres`` needs no password."""

    port: int

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def create_database(self, purpose: str) -> str:
        """Make an empty database of a name of its own, which begins with *purpose*, and return its URL."""
        name = f"{purpose}_{secrets.token_hex(4)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


def programs() -> Path:
    """The folder of ``initdb`` and ``postgres``: Debian keeps them out of PATH, one folder a version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return Path(processes.program("postgres", package="postgresql", folders=versions)).resolve().parent


class Machine:
    """A cluster that can be stopped, killed and started again on the same data."""

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self.folder = folder
        self.durable = durable
        self.user = _unprivileged_user()
        self.programs = programs()
        self.cluster = Cluster(processes.free_port())
        self.server: processes.Server | None = None
        if self.user:
            shutil.chown(folder, self.user)
        _initialize(self.programs, folder / "data", self.user)

    @property
    def pid(self) -> int:
        """The first of the server's processes."""
        assert self.server is not None
        return self.server.process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self.server is not None and self.server.process.poll() is not None

    def start(self) -> None:
        """Start, and once more if what was killed has not quite gone yet."""
        for _ in range(20):
            try:
                self.server = self._start()
            except RuntimeError as error:
                if "pre-existing shared memory" not in str(error) and "lock file" not in str(error):
                    raise
                time.sleep(0.2)
            else:
                return
        raise RuntimeError("PostgreSQL does not start again")

    def _start(self) -> processes.Server:
        port = self.cluster.port
        settings = {"port": port, "max_connections": 200, **LOOPBACK_ONLY, **({} if self.durable else FAST)}
        return processes.start(
            [self.programs / "postgres", "-D", self.folder / "data", *_options(settings)],
            log=self.folder / "log",
            ready=lambda: _answers(port),
            user=self.user,
            last_signal="INT",
        )

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGTERM waits for clients, SIGINT disconnects them, SIGQUIT leaves recovery to the next start."""
        if self.server is not None:
            self.server.stop(sign)
            self.server = None


@contextmanager
def machine(*, durable: bool = False, within: Path | None = None) -> Iterator[Machine]:
    """A running cluster that the block may stop, kill and start again.  Unless *durable*, it waits for no disk.

    *within*: the folder to make its own in, which every user must be able to enter.
    """
    folder = Path(tempfile.mkdtemp(prefix="packhouse-postgresql-", dir=within))
    try:
        made = Machine(folder, durable=durable)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(*, durable: bool = False) -> Iterator[Cluster]:
    """A cluster that lives as long as the block.  Unless *durable*, it does not wait for the disk."""
    with machine(durable=durable) as made:
        yield made.cluster


def _initialize(bin_folder: Path, data: Path, user: str | None) -> None:
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    command = [str(bin_folder / "initdb"), "-D", str(data), *options]
    done = subprocess.run(command, user=user, capture_output=True, text=True, check=False, cwd=data.parent)
    if done.returncode:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _options(settings: dict[str, object]) -> Iterator[str]:
    return (word for name, value in settings.items() for word in ("-c", f"{name}={value}"))


def _unprivileged_user() -> str | None:
    """Whom to run as: PostgreSQL refuses to be root; anybody else runs it as themselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _answers(port: int) -> bool:
    try:
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", dbname="postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
