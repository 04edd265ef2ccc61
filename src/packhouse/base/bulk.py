"""Very many rows at once, past the ORM: ``executemany`` on SQLite, ``COPY`` on PostgreSQL.

For imports only: the rows are known to be good, and nothing but the database looks at them.
"""

import json
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models


def reserve_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """*count* primary keys that nobody else will get, ascending.  On SQLite, inside a transaction that writes."""
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = f"pg_get_serial_sequence('{table}', '{key}')"
            cursor.execute(f"SELECT nextval({sequence}) FROM generate_series(1, %s)", [count])  # noqa: S608
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = (cursor.fetchone() or [0])[0]
        return range(last + 1, last + 1 + count)


def insert(model: type[models.Model], fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert *rows*, whose values stand in the order of *fields* (names of model fields; for a foreign key its id).

    Making the *rows* must not ask the database anything: PostgreSQL is copying meanwhile.
    Values are those of Python; ``moment``, ``uid`` and ``jsonb`` turn what the two databases keep differently.
    """
    columns = ", ".join(f'"{model._meta.get_field(name).column}"' for name in fields)  # type: ignore[union-attr]
    connection.ensure_connection()
    raw: Any = connection.connection
    if connection.vendor == "postgresql":
        with raw.cursor() as cursor, cursor.copy(f"COPY {model._meta.db_table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(fields))
    raw.executemany(f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({marks})", rows)  # noqa: S608


def moment(value: datetime) -> Any:
    """*value* (aware) as the database keeps it."""
    return value if connection.vendor == "postgresql" else str(value.astimezone(UTC).replace(tzinfo=None))


def uid(value: uuid.UUID) -> Any:
    return value if connection.vendor == "postgresql" else value.hex


def jsonb(value: Any) -> str:
    return json.dumps(value)
