"""Very many rows at once, past the ORM: ``executemany`` on SQLite, ``COPY`` on PostgreSQL.

For imports and for what is made from rows that are stored already: they are known to be good, and nothing but the
database looks at them.  What it says against them is an error of the driver's.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connection, models, transaction
from django.db.utils import OperationalError

Model = type[models.Model]
_CACHE = -512_000
"""SQLite's memory while it fills tables and sorts indexes, in its own unit (negative: KiB)."""
_SORTING = "512MB"
"""PostgreSQL's, for one index."""


def reserve_ids(model: Model, count: int) -> Sequence[int]:
    """*count* primary keys that nobody else will get, ascending.  On SQLite, inside a transaction that writes."""
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = f"pg_get_serial_sequence('{table}', '{key}')"
            cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])  # noqa: S608
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        found = cursor.fetchone()
        last = found[0] if found else 0
        store = "UPDATE sqlite_sequence SET seq = %s WHERE name = %s"
        cursor.execute(
            store if found else "INSERT INTO sqlite_sequence (seq, name) VALUES (%s, %s)", [last + count, table]
        )
        return range(last + 1, last + 1 + count)


def insert(model: Model, fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert *rows*, whose values stand in the order of *fields* (names of model fields; for a foreign key its id).

    Making the *rows* must not ask the database anything: PostgreSQL is copying meanwhile.
    Values are those of Python; ``moment``, ``uid`` and ``jsonb`` turn what the two databases keep differently.
    """
    columns = [str(model._meta.get_field(name).column) for name in fields]  # type: ignore[union-attr]
    insert_into(model._meta.db_table, columns, rows)


def insert_into(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The same for a *table* that no model has."""
    named = ", ".join(f'"{column}"' for column in columns)
    connection.ensure_connection()
    raw: Any = connection.connection
    if connection.vendor == "postgresql":
        with raw.cursor() as cursor, cursor.copy(f"COPY {table} ({named}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    raw.executemany(f"INSERT INTO {table} ({named}) VALUES ({', '.join('?' * len(columns))})", rows)  # noqa: S608


@contextmanager
def filling(tables: Sequence[Model]) -> Iterator[None]:
    """One transaction that fills *tables*, which are empty: all of it or nothing, whatever ends it.

    Indexes and references are left out meanwhile and made at the end from what is there, which takes a tenth of the
    time and finds what is not unique all the same (``IntegrityError``).  Nobody else should use the database.
    """
    with _sequential(), transaction.atomic():
        made_again = [statement for model in tables for statement in _let_go(model._meta.db_table)]
        yield
        for statement in made_again:
            _run(statement)


def _run(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values) or None)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def _sequential() -> Iterator[None]:
    """A connection of its own that sorts in memory and writes what is only appended once, not twice."""
    if connection.in_atomic_block:
        yield
        return
    connection.close()
    try:
        if connection.vendor == "postgresql":
            _run(f"SET maintenance_work_mem = '{_SORTING}'")
        else:
            _without_log()
        yield
    finally:
        connection.close()  # the next one is set up as usual


def _without_log() -> None:
    """SQLite's journal for undoing holds no page that is new; its write-ahead log holds every one."""
    _run(f"PRAGMA cache_size = {_CACHE}")
    with suppress(OperationalError):  # somebody else has the database open: the log will do
        _run("PRAGMA journal_mode = DELETE")


def _let_go(table: str) -> list[str]:
    """Drop the indexes and references of *table*; returns the statements that make them again."""
    dropped, again = _on_postgresql(table) if connection.vendor == "postgresql" else _on_sqlite(table)
    for statement in dropped:
        _run(statement)
    return again


def _on_sqlite(table: str) -> tuple[list[str], list[str]]:
    listed = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL"
    found = _run(listed, table)
    return [f'DROP INDEX "{name}"' for name, _ in found], [statement for _, statement in found]


_CONSTRAINTS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s::regclass AND contype IN ('u', 'f') ORDER BY contype = 'f'
"""
_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid = %s::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""


def _on_postgresql(table: str) -> tuple[list[str], list[str]]:
    """References last: what they point to may be filled by then only."""
    constraints, indexes = _run(_CONSTRAINTS, table), _run(_INDEXES, table)
    dropped = [f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"' for name, _ in constraints]
    dropped += [f"DROP INDEX {name}" for name, _ in indexes]
    again = [definition for _, definition in indexes]
    again += [f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}' for name, definition in constraints]
    return dropped, again


@cache
def _on_server() -> bool:
    return connection.vendor == "postgresql"


def moment(value: datetime) -> Any:
    """*value* (aware) as the database keeps it."""
    if _on_server():
        return value
    return str(value)[:-6] if value.tzinfo is UTC else str(value.astimezone(UTC).replace(tzinfo=None))


def uid(value: uuid.UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def jsonb(value: Any) -> str:
    return json.dumps(value)
