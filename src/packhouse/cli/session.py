"""What every command begins with: read the configuration, open the home, and, where needed, start Django."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from packhouse import config
from packhouse.base import home
from packhouse.cli.supervisor import tell

Command = TypeVar("Command", bound=Callable[..., Any])
MIGRATION_LOCK = 0x7061636B


def home_option(command: Command) -> Command:
    """``--home``, which every command takes."""
    return click.option(
        "--home",
        type=click.Path(path_type=Path),
        help="The folder that holds everything [PACKHOUSE_HOME; default ./packhouse-data].",
    )(command)


def begin(flags: Mapping[str, Any], *, quiet: bool = False, serving: bool = False) -> config.Reading:
    """Reads the configuration, opens the home, and passes both on to child processes and Django.

    What is wrong ends the command with status 2 and a text that says so; what is odd is told on stderr unless *quiet*.
    A command that is not itself *serving*, and is not told the public URL, takes that of the last ``serve``: the links
    in documents and letters must be those of the running index.
    """
    try:
        reading = config.read(flags)
        open_home(reading)
        if serving:
            home.remember_address(reading.config.home, reading.config.public_url)
        elif reading.origins["public_url"] == "default" and (address := home.last_address(reading.config.home)):
            flags = {**flags, "public_url": address}
        reading = config.read(flags)  # once more: with the secrets that the home now has
    except config.ConfigError as error:
        click.echo(f"packhouse: {error}", err=True)
        sys.exit(2)
    os.environ.update(config.environment(reading), DJANGO_SETTINGS_MODULE="packhouse.settings")
    for warning in () if quiet else reading.warnings:
        tell(f"warning: {warning}")
    return reading


def start_log(settings: config.Config) -> None:
    """Sends the log of this process where and how *settings* say."""
    from packhouse.base import logs  # noqa: PLC0415 (the supervisor of `serve`, which logs nothing, stays small)

    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)


def open_home(reading: config.Reading) -> None:
    """Makes the home when it is not there yet.  Raises ``ConfigError`` when that is impossible."""
    os.umask(0o027)
    try:
        home.prepare(reading.config.home)
    except OSError as error:
        raise config.ConfigError("home", reading.origins["home"], f"expected a folder to write in: {error}") from error


def start_django(settings: config.Config) -> None:
    """Starts the log and imports Django and the rooms."""
    import django  # noqa: PLC0415 (half a second, and 40 MiB, that most commands can do without)

    start_log(settings)
    django.setup()


@contextmanager
def database(home_folder: Path | None) -> Iterator[config.Reading]:
    """For commands that use the database: it is made when the home is new, and else must be up to date."""
    reading = begin({"home": home_folder})
    start_django(reading.config)
    from packhouse.pages.health import pending_migrations  # noqa: PLC0415

    if is_new():
        migrate(reading.config.home)
    elif pending := pending_migrations():
        click.echo(f"packhouse: the database lacks {len(pending)} migrations; run `packhouse manage migrate`", err=True)
        sys.exit(1)
    yield reading


def is_new() -> bool:
    """Whether no migration has ever been run on the database."""
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.recorder import MigrationRecorder  # noqa: PLC0415

    return not MigrationRecorder(connection).applied_migrations()


def migrate(home_folder: Path) -> None:
    """Brings the database and its documents up to date, and a cache in front, which may have pages of another version.

    One process does it, others wait and find it done.
    """
    from django.core.management import call_command  # noqa: PLC0415

    from packhouse.index.startup import make_ready  # noqa: PLC0415
    from packhouse.purge.actions import forget  # noqa: PLC0415
    from packhouse.search.tasks import rebuild_if_outdated  # noqa: PLC0415

    with _only_one(home_folder):
        call_command("migrate", interactive=False, verbosity=0)
        make_ready()
        rebuild_if_outdated()
        forget(["all-html", "all-legacy-json", "site"])


@contextmanager
def _only_one(home_folder: Path) -> Iterator[None]:
    """Holds a lock in the home (for this machine) and, on PostgreSQL, one in the database (for all)."""
    import fcntl  # noqa: PLC0415

    from django.db import connection  # noqa: PLC0415

    with (home_folder / "run" / "migrate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
