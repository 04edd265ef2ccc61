"""SQLite's FTS5.  Rowids are places, so that matches come in their order and a query may stop early."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from packhouse.base.bulk import insert_into
from packhouse.base.sqlite import pragmas
from packhouse.search import analysis
from packhouse.search.engines import Indexed, Matches, rows
from packhouse.search.expressions import But, Every, Expression, Phrase, Some, Start, Token
from packhouse.search.models import Entry

_STEPS = 20_000
"""Instructions of SQLite's machine between two looks at the clock: well under a millisecond."""

_CREATE = """CREATE VIRTUAL TABLE search_text USING fts5(
    text, marks, tokenize = "ascii tokenchars ':+#.-_'", columnsize = 0
)"""


class SQLite:
    """Words and marks stand in two columns of one FTS5 table; a query need not say which."""

    def create(self) -> None:
        _execute(_CREATE)

    def drop(self) -> None:
        _execute("DROP TABLE search_text")

    @contextmanager
    def filling(self) -> Iterator[None]:
        """FTS5 merges what is written as it goes.

        Commits do not wait for the disk: what a failing machine takes back is the end of the log, and the next rebuild
        makes it.
        """
        with pragmas(synchronous=1):
            yield

    def hold_off_others(self) -> None:
        """Whoever has begun a transaction is the only one who writes."""

    def write(self, entries: Iterable[Indexed]) -> None:
        added = [(entry.place, " ".join(entry.text), " ".join(entry.marks)) for entry in entries]
        self.forget([place for place, _, _ in added])
        insert_into("search_text", ("rowid", "text", "marks"), added)

    def forget(self, places: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("DELETE FROM search_text WHERE rowid = %s", [(place,) for place in places])

    def matching(self, expression: Expression, limit: int, most: int, since: datetime | None = None) -> Matches:
        query = f"SELECT e.place, e.facets {_WITH_ENTRIES} {_since(since)} ORDER BY t.rowid LIMIT %s"
        found = rows(query, [*_values(expression, since), limit])
        total = len(found) if len(found) < limit else self._count(expression, most, since)
        return Matches([place for place, _ in found], b"".join(facets for _, facets in found), total)

    def _count(self, expression: Expression, most: int, since: datetime | None) -> int:
        query = f"SELECT COUNT(*) FROM (SELECT 1 {_from(since)} LIMIT %s)"  # noqa: S608
        return int(rows(query, [*_values(expression, since), most])[0][0])

    def first(self, expression: Expression, limit: int, since: datetime | None = None) -> list[int]:
        query = f"SELECT t.rowid {_from(since)} ORDER BY t.rowid LIMIT %s"
        return [place for (place,) in rows(query, [*_values(expression, since), limit])]

    def alike(self, compact: str, limit: int) -> list[str]:
        """Those that begin or end alike, which two wrong letters seldom prevent."""
        ends = (f"p:{compact[:3]}", f"p:{compact[:5]}", f"x:{compact[-analysis.TAIL :]}")
        places = {place for end in ends for place in self.first(Token(end), limit)}
        names = Entry.objects.filter(place__in=places).order_by("place").values_list("compact", flat=True)
        return list(names)

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        connection.ensure_connection()
        deadline = time.monotonic() + seconds
        raw: Any = connection.connection
        raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
        try:
            yield
        finally:
            raw.set_progress_handler(None, 0)


_WITH_ENTRIES = "FROM search_text t CROSS JOIN search_entry e ON e.place = t.rowid"


def _from(since: datetime | None) -> str:
    """Where matches come from; with *since*, a second value is to be given."""
    return f"{_WITH_ENTRIES if since else 'FROM search_text t'} {_since(since)}"


def _since(since: datetime | None) -> str:
    return "WHERE t.search_text MATCH %s" + (" AND e.updated >= %s" if since else "")


def _values(expression: Expression, since: datetime | None) -> list[str]:
    return [written(expression), _text(since)] if since else [written(expression)]


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def written(expression: Expression) -> str:
    """*expression* in FTS5's language."""
    match expression:
        case Token(text):
            return f'"{_clean(text)}"'
        case Start(text):
            return f'"{_clean(text)}"*'
        case Phrase(tokens):
            return f'"{_clean(" ".join(tokens))}"'
        case Every(parts):
            return f"({' AND '.join(map(written, parts))})"
        case Some(parts):
            return f"({' OR '.join(map(written, parts))})"
        case But(wanted, unwanted):
            return f"({written(wanted)} NOT {written(unwanted)})"


def _clean(text: str) -> str:
    return text.replace('"', "").replace("\x00", "")
