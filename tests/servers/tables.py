"""A database with all its tables, made once a run: each new index would run every migration before it answers."""

import atexit
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from tests.servers import postgresql

Migrate = Callable[[Path, str | None], object]
"""``migrate(home, database)`` runs all migrations there; None is the SQLite of the home, else a URL."""

DUMP = ("--no-owner", "--no-privileges")
LOAD = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")

_dumped: list[Path] = []
"""The tables of PostgreSQL as SQL, which any cluster takes."""


def lay(home: Path, database: str | None, migrate: Migrate) -> None:
    """Give an index that has no tables yet the newest ones.  A database that cannot be reached is left to the index."""
    if database is None or database.startswith("sqlite:"):
        file = Path(database.removeprefix("sqlite://")) if database else home / "packhouse.db"
        if not file.exists():
            shutil.copy(_sqlite(migrate), file)
    elif _is_empty(database):
        if not _dumped:
            _dumped.append(_dump(urlsplit(database).netloc, migrate))
        _run("psql", *LOAD, f"--file={_dumped[0]}", database)


@cache
def _sqlite(migrate: Migrate) -> Path:
    home = _folder()
    migrate(home, None)
    return home / "packhouse.db"


def _dump(server: str, migrate: Migrate) -> Path:
    """The tables as SQL, made on the *server* (``user@host:port``)."""
    home, name = _folder(), f"tables_{secrets.token_hex(4)}"
    url = f"postgresql://{server}/{name}"
    with psycopg.connect(f"postgresql://{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        migrate(home, url)
        _run("pg_dump", *DUMP, f"--file={home / 'tables.sql'}", url)
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
    return home / "tables.sql"


def _is_empty(database: str) -> bool:
    try:
        with psycopg.connect(database, connect_timeout=5) as connection:
            row = connection.execute("SELECT to_regclass('django_migrations') IS NULL").fetchone()
    except psycopg.OperationalError:
        return False
    return bool(row and row[0])


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [postgresql.programs() / program, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"


def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="packhouse-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
