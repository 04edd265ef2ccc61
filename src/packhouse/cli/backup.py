"""``packhouse backup``: copies of everything, and the way back."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from packhouse.cli import session

if TYPE_CHECKING:
    from packhouse.backup.manifest import Manifest

place = click.argument("target", metavar="TARGET")
snapshot = click.option("--snapshot", default="", metavar="NAME", help="Which backup [default: the newest].")


@click.group()
def backup() -> None:
    """Make, check and restore backups.  TARGET is a folder or a bucket (s3://bucket/prefix?endpoint=...)."""


@backup.command()
@place
@session.home_option
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Put the secrets in too, encrypted under what this file holds; without it they are left out.",
)
def create(target: str, home: Path | None, passphrase_file: Path | None) -> None:
    """Back up the index while it serves.  Files that TARGET has already are not copied again."""
    with _failures():
        from packhouse.backup.create import create as make  # noqa: PLC0415 (other commands need no libraries for it)
        from packhouse.backup.target import Target  # noqa: PLC0415

        config = session.begin({"home": home}).config
        made = make(config, Target.at(target), passphrase=_passphrase(passphrase_file))
    manifest = made.manifest
    click.echo(f"{manifest.name}: serial {manifest.serial}, {manifest.files} files, {made.copied.new} blobs copied.")
    if manifest.secrets is None:
        click.echo(f"The secrets are not in it: keep {config.home / 'secrets'} apart, or all API tokens end with it.")
    for key in manifest.missing:
        click.echo(f"packhouse: {key} is listed but the store has lost or damaged it", err=True)
    sys.exit(1 if manifest.missing else 0)


@backup.command(name="list")
@place
def list_(target: str) -> None:
    """List the complete backups in TARGET, oldest first."""
    with _failures():
        from packhouse.backup.target import Target  # noqa: PLC0415

        found = Target.at(target)
        for name in found.names():
            manifest = found.manifest(name)
            secrets = "with secrets" if manifest.secrets else "without secrets"
            click.echo(f"{name}: serial {manifest.serial}, {manifest.files} files, {manifest.engine}, {secrets}")


@backup.command()
@place
@snapshot
def verify(target: str, snapshot: str) -> None:
    """Read a whole backup and compare every digest.  Status 1 when something is wrong with it."""
    with _failures(), tempfile.TemporaryDirectory(prefix="packhouse-backup-") as folder:
        from packhouse.backup.target import Target  # noqa: PLC0415
        from packhouse.backup.verify import verify as look  # noqa: PLC0415

        verdict = look(Target.at(target), Path(folder), name=snapshot)
    for problem in verdict.problems:
        click.echo(problem)
    rows = sum(verdict.manifest.counts.values())
    click.echo(
        f"{verdict.manifest.name}: {rows} rows and {verdict.blobs} blobs read, {len(verdict.problems)} problems."
    )
    sys.exit(1 if verdict.problems else 0)


@backup.command()
@place
@session.home_option
@snapshot
@click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Restore the secrets too.",
)
@click.option(
    "--serial-gap",
    default=1_000_000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Serials go on so far above the backup's: more than the index has used since.",
)
def restore(target: str, home: Path | None, snapshot: str, passphrase_file: Path | None, serial_gap: int) -> None:
    """Restore a backup into an empty home and database.  Refuses where there is anything in the database."""
    with _failures():
        from packhouse.backup.restore import restore as put_back  # noqa: PLC0415
        from packhouse.backup.target import Target  # noqa: PLC0415

        config = session.begin({"home": home}).config
        done = put_back(
            config,
            Target.at(target),
            name=snapshot,
            passphrase=_passphrase(passphrase_file),
            gap=serial_gap,
            migrate=_make_tables,
        )
    config = session.begin({"home": home}, quiet=True).config  # once more: with the restored secrets
    session.start_django(config)
    session.migrate(config.home)
    manifest = done.manifest
    click.echo(f"Restored {manifest.name} of {manifest.made}: serial {manifest.serial}, {manifest.files} files.")
    if not done.keeps_tokens:
        click.echo(f"API tokens do not work until {config.home / 'secrets' / 'secret-key'} holds the former key.")
    for key in manifest.missing:
        click.echo(f"packhouse: {key} was lost before the backup", err=True)


@contextmanager
def _failures() -> Iterator[None]:
    """Ends the command with status 1 and a sentence when a backup cannot be made, read or restored."""
    from packhouse.backup.manifest import BackupError  # noqa: PLC0415

    try:
        yield
    except BackupError as error:
        click.echo(f"packhouse: {error}", err=True)
        sys.exit(1)


def _passphrase(path: Path | None) -> str:
    if path is None:
        return ""
    text = path.read_text(encoding="utf-8").strip()
    if len(text) < 12:
        raise click.UsageError("the passphrase must have at least 12 characters")
    return text


def _make_tables(manifest: "Manifest") -> None:
    """Run the migrations that the backup's database had, and no other; an SQLite backup brings its tables along."""
    from packhouse import config  # noqa: PLC0415
    from packhouse.backup.manifest import BackupError  # noqa: PLC0415

    session.start_django(config.load())
    from django.db import connection  # noqa: PLC0415
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415

    had = {(app, name) for app, names in manifest.migrations.items() for name in names}
    nodes = MigrationLoader(None).graph.node_map
    if unknown := sorted(had - set(nodes)):
        raise BackupError(f"it was made by Packhouse {manifest.version}; this one lacks the migration {unknown[0]}")
    if manifest.engine == "postgresql":
        last = [
            node
            for node in had
            if not any(after.key in had and after.key[0] == node[0] for after in nodes[node].children)
        ]
        MigrationExecutor(connection).migrate(sorted(last))
        connection.close()
