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
