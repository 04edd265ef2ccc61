"""The port to the database's text index, and its two adapters.

An engine keeps the tokens of entries and answers which entries match an expression.  It ranks nothing.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from django.db import connection

from packhouse.search.expressions import Expression


class Matches(NamedTuple):
    """Entries that match: their places in order, and their facets (ids, four bytes each) one after another.

    ``total`` is how many there are, which may be more than are listed.
    """

    places: Sequence[int] = ()
    facets: bytes = b""
    total: int = 0


@dataclass(frozen=True, slots=True)
class Indexed:
    """The tokens of an entry: those with a position, in order (words), and those without; and its facets."""

    place: int
    text: Sequence[str]
    marks: Sequence[str]
    facets: bytes


class Engine(Protocol):
    """A text index.  Writes run in the caller's transaction, after the rows of the entries."""

    def create(self) -> None:
        """Make the tables, for a migration."""

    def drop(self) -> None:
        """Undo ``create``."""

    def filling(self) -> AbstractContextManager[None]:
        """A context in which the whole index is written; of an empty one, what speeds searches up is made at its end.

        Searches go on meanwhile.
        """

    def hold_off_others(self) -> None:
        """Let nobody else write entries until the caller's transaction ends."""

    def write(self, entries: Iterable[Indexed]) -> None:
        """Keep the tokens of *entries*, instead of what was kept for them."""

    def forget(self, places: Sequence[int]) -> None:
        """Keep nothing of *places* any more; what is not there is forgotten already.  Before the entries' rows go."""

    def matching(self, expression: Expression, limit: int, most: int, since: datetime | None = None) -> Matches:
        """Up to *limit* matching entries by place, counted up to *most*; of more than *limit*, mostly low places.

        With *since*, only entries updated then or later.
        """

    def first(self, expression: Expression, limit: int, since: datetime | None = None) -> list[int]:
        """Places of up to *limit* matching entries, the lowest places first."""

    def alike(self, compact: str, limit: int) -> list[str]:
        """Names (compact) that may be *compact* with a few wrong letters, the most downloaded ones among them."""

    def bounded(self, seconds: float) -> AbstractContextManager[None]:
        """A context in which a query that takes longer than *seconds* is given up with ``OperationalError``."""


def rows(query: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What *query* returns."""
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def engine() -> Engine:
    """The engine of the database in use."""
    if connection.vendor == "postgresql":
        from packhouse.search.engines.postgresql import PostgreSQL  # noqa: PLC0415 (one of two)

        return PostgreSQL()
    from packhouse.search.engines.sqlite import SQLite  # noqa: PLC0415

    return SQLite()
