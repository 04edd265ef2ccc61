"""Indexes that no model declares."""

from typing import Any


def drop_pattern_indexes(schema_editor: Any, table: str, *columns: str) -> None:
    """Drop the second index that Django gives a unique text column on PostgreSQL, for ``LIKE 'beginning%'``.

    Nothing asks that, and each costs as much as the unique one: in space, and with every row that is written.
    """
    if schema_editor.connection.vendor == "postgresql":
        for column in columns:
            name = schema_editor._create_index_name(table, [column], suffix="_like")  # noqa: SLF001 - knows it
            schema_editor.execute(f"DROP INDEX IF EXISTS {schema_editor.quote_name(name)}")


def index_bytes_of(schema_editor: Any, name: str, table: str, column: str, text: str) -> None:
    """Make an index of *column*, then *text* in the order of its bytes, which is how documents are ordered.

    No model can declare it: SQLite orders text so by itself, and does not know the collation by which PostgreSQL does.
    """
    quoted = schema_editor.quote_name
    order = ' COLLATE "C"' if schema_editor.connection.vendor == "postgresql" else ""
    schema_editor.execute(f"CREATE INDEX {quoted(name)} ON {quoted(table)} ({quoted(column)}, {quoted(text)}{order})")
