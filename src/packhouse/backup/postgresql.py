"""Snapshots of a PostgreSQL database: each table by COPY, all in one transaction that sees one moment.

``pg_dump`` is not needed.  The tables' shapes are not stored: the migrations that made them are named in the manifest,
and restoring runs them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from packhouse.backup import parts
from packhouse.backup.dump import FILES, MIGRATIONS, MOVE_ON, Dump, as_lines, blobs_of, by_app
from packhouse.backup.manifest import BackupError, Manifest, Part
from packhouse.backup.parts import Packed
from packhouse.files import BlobStore

_MIGRATIONS_TABLE = "django_migrations"
_TABLES = """
    SELECT c.relname FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace ORDER BY 1"""
_COLUMNS = """
    SELECT attname FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum"""
_SEQUENCES = """
    SELECT c.relname, t.relname
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
    JOIN pg_depend d ON d.objid = s.seqrelid AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class t ON t.oid = d.refobjid
    WHERE c.relnamespace = current_schema()::regnamespace ORDER BY 1"""


def dump(url: str, folder: Path) -> Dump:
    """Copy the database *url* into *folder*, packed.  Raises ``BackupError``."""
    try:
        with psycopg.connect(url) as database:
            database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            database.read_only = True
            tables = [name for (name,) in database.execute(_TABLES) if name != _MIGRATIONS_TABLE]
            packed = tuple(_pack_table(database, table, folder) for table in tables)
            with database.cursor("files") as files:
                files.execute(FILES)
                blobs = parts.pack("blobs", as_lines(blobs_of(files)), folder)
            return Dump(
                database=packed,
                blobs=Packed("blobs", blobs),
                counts={part.name: part.rows for part in packed},
                numbers=_numbers(database),
                migrations=by_app(database.execute(MIGRATIONS)),
            )
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be read: {error}") from error


def listed(url: str, keys: Iterable[str]) -> set[str]:
    """Those of the blobs *keys* that the rows name now."""
    with psycopg.connect(url) as database:
        one = "SELECT 1 FROM projects_file WHERE path IN (%s, %s)"
        return {key for key in keys if database.execute(one, [key, key.removesuffix(".metadata")]).fetchone()}


def is_empty(url: str) -> bool:
    """Whether there is no table at *url*."""
    try:
        with psycopg.connect(url) as database:
            return not database.execute(_TABLES).fetchall()
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be read: {error}") from error


def check(manifest: Manifest, stored: BlobStore, folder: Path) -> None:
    """Read every table and look whether it has as many rows as *manifest* counts."""
    for part in manifest.database:
        rows = sum(chunk.count(b"\n") for chunk in parts.read(part, stored))
        if rows != part.rows:
            raise BackupError(f"table {part.name} has {rows} rows, not {part.rows}")


def load(url: str, manifest: Manifest, stored: BlobStore, *, gap: int) -> None:
    """Fill the tables, which the migrations of *manifest* have made, *gap* numbers further on; all or nothing."""
    try:
        with psycopg.connect(url) as database:
            names = sql.SQL(", ").join(sql.Identifier(part.name) for part in manifest.database)
            database.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
            for part in manifest.database:
                _fill(database, part, stored)
            _set_numbers(database, manifest, gap)
            for statement in MOVE_ON:
                database.execute(statement)
    except psycopg.Error as error:
        raise BackupError(f"the database cannot be filled: {error}") from error


def _pack_table(database: psycopg.Connection[Any], table: str, folder: Path) -> Packed:
    columns = tuple(name for (name,) in database.execute(_COLUMNS, [f'"{table}"']))
    rows = 0

    def chunks() -> Iterator[bytes]:
        nonlocal rows
        with database.cursor().copy(_copy(table, columns, "TO STDOUT")) as copy:
            for chunk in copy:
                rows += bytes(chunk).count(b"\n")
                yield bytes(chunk)

    files = parts.pack(table, chunks(), folder)
    return Packed(table, files, rows, columns)


def _fill(database: psycopg.Connection[Any], part: Part, stored: BlobStore) -> None:
    with database.cursor() as cursor:
        with cursor.copy(_copy(part.name, part.columns, "FROM STDIN")) as copy:
            for chunk in parts.read(part, stored):
                copy.write(chunk)
        if cursor.rowcount != part.rows:
            raise BackupError(f"table {part.name} has {cursor.rowcount} rows, not {part.rows}")


def _copy(table: str, columns: Iterable[str], direction: str) -> sql.Composed:
    listed_columns = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) " + direction).format(sql.Identifier(table), listed_columns)


def _numbers(database: psycopg.Connection[Any]) -> dict[str, int]:
    """The last number that each table's sequence has given out, by the table's name."""
    found = {}
    for sequence, table in database.execute(_SEQUENCES).fetchall():
        question = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(sequence))
        row = database.execute(question).fetchone()
        found[table] = row[0] if row and row[1] else 0
    return found


def _set_numbers(database: psycopg.Connection[Any], manifest: Manifest, gap: int) -> None:
    for sequence, table in database.execute(_SEQUENCES).fetchall():
        last = manifest.numbers.get(table, 0)
        database.execute("SELECT setval(quote_ident(%s)::regclass, %s)", [sequence, last + gap])
