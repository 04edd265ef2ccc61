"""Snapshots of an SQLite database: ``VACUUM INTO`` copies it within one read transaction, which blocks no writer."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from packhouse import config
from packhouse.backup import parts
from packhouse.backup.dump import CHANGES, FILES, JOURNAL, MIGRATIONS, MOVE_ON, Dump, as_lines, blobs_of, by_app
from packhouse.backup.manifest import BackupError, Manifest
from packhouse.backup.parts import Packed
from packhouse.base.durable import sync_folder
from packhouse.files import BlobStore

_COPY, _CHUNK = "database.sqlite3", 1024**2


def dump(url: str, folder: Path) -> Dump:
    """Copy the database *url* into *folder*, packed.  Raises ``BackupError``."""
    copy = folder / _COPY
    try:
        with closing(_connect(config.sqlite_path(url))) as database:
            database.execute("VACUUM INTO ?", [str(copy)])
        with closing(_connect(copy)) as database:
            _require_whole(database)
            lines = as_lines(blobs_of(database.execute(FILES)))
            return Dump(
                database=(Packed(_COPY, parts.pack(_COPY, _chunks(copy), folder)),),
                blobs=Packed("blobs", parts.pack("blobs", lines, folder)),
                counts=_counts(database),
                numbers=dict(database.execute("SELECT name, seq FROM sqlite_sequence")),
                migrations=by_app(database.execute(MIGRATIONS)),
            )
    except sqlite3.Error as error:
        raise BackupError(f"the database cannot be read: {error}") from error
    finally:
        copy.unlink(missing_ok=True)


def listed(url: str, keys: Iterable[str]) -> set[str]:
    """Those of the blobs *keys* that the rows name now."""
    with closing(_connect(config.sqlite_path(url))) as database:
        one = "SELECT 1 FROM projects_file WHERE path IN (?, ?)"
        return {key for key in keys if database.execute(one, [key, key.removesuffix(".metadata")]).fetchone()}


def is_empty(url: str) -> bool:
    """Whether there is no table at *url*, nor a file."""
    path = Path(config.sqlite_path(url))
    if not path.exists() or not path.stat().st_size:
        return True
    with closing(_connect(path)) as database:
        return not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def check(manifest: Manifest, stored: BlobStore, folder: Path) -> None:
    """Unpack the database into *folder* and look whether it is sound and has the rows that *manifest* counts."""
    copy = folder / _COPY
    _unpack(manifest, stored, copy)
    try:
        with closing(_connect(copy)) as database:
            _require_whole(database)
            if (found := _counts(database)) != manifest.counts:
                raise BackupError(f"the database has other numbers of rows than recorded: {found}")
    except sqlite3.Error as error:
        raise BackupError(f"the database cannot be read: {error}") from error
    finally:
        copy.unlink(missing_ok=True)


def load(url: str, manifest: Manifest, stored: BlobStore, *, gap: int) -> None:
    """Put the database in its place, *gap* numbers further on; it appears whole or not at all."""
    path = Path(config.sqlite_path(url))
    draft = path.with_name(path.name + ".restoring")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft.unlink(missing_ok=True)
    _unpack(manifest, stored, draft)
    with closing(_connect(draft)) as database:
        _require_whole(database)
        database.execute("BEGIN IMMEDIATE")
        _move_on(database, gap)
        database.execute("COMMIT")
    _sync(draft)
    if not is_empty(url):
        raise BackupError("the database is no longer empty")
    for left in ("-wal", "-shm"):  # of the empty database, if there is one; they would be taken for this one's
        path.with_name(path.name + left).unlink(missing_ok=True)
    draft.replace(path)
    sync_folder(path.parent)


def _move_on(database: sqlite3.Connection, gap: int) -> None:
    """See ``restore``: numbers that clients may have seen are not given out again."""
    for table in (JOURNAL, CHANGES):
        database.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT ?, 0"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?)",
            [table, table],
        )
    database.execute("UPDATE sqlite_sequence SET seq = seq + ?", [gap])
    for statement in MOVE_ON:
        database.execute(statement)


def _connect(path: Path | str) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=30, isolation_level=None)


def _require_whole(database: sqlite3.Connection) -> None:
    found = database.execute("PRAGMA integrity_check(3)").fetchall()
    if found != [("ok",)]:
        raise BackupError(f"the database is damaged: {'; '.join(text for (text,) in found)}")


def _counts(database: sqlite3.Connection) -> dict[str, int]:
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    names = [name for (name,) in tables.fetchall()]
    return {name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _unpack(manifest: Manifest, stored: BlobStore, path: Path) -> None:
    with path.open("wb") as file:
        for chunk in parts.read(manifest.database[0], stored):
            file.write(chunk)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
