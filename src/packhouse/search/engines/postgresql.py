"""PostgreSQL's text search (a ``tsvector`` with a GIN index) and trigrams (``pg_trgm``)."""

import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction

from packhouse.base.bulk import insert_into
from packhouse.search.engines import Indexed, Matches, rows
from packhouse.search.expressions import (
    TOP,
    But,
    Every,
    Expression,
    Phrase,
    Some,
    Start,
    Token,
    every,
)

log = structlog.get_logger(__name__)
_LOCK = 0x5EA2C4
_JOINED = (
    "SELECT (SELECT COUNT(*) FROM found), string_agg(int8send(place), ''), string_agg(facets, '')"
    " FROM (SELECT * FROM found LIMIT %s) listed"
)
_LOOKED_AT = 20_000
"""Matches that are put in order at most."""
_POSITIONS = 16383
"""The last position that a tsvector tells apart."""

_CREATE = "CREATE TABLE search_text (place bigint PRIMARY KEY, document tsvector NOT NULL, facets bytea NOT NULL)"
_INDEX = "CREATE INDEX IF NOT EXISTS search_text_document ON search_text USING gin (document) WITH (fastupdate = off)"
_TRIGRAMS = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    (
        "CREATE INDEX IF NOT EXISTS search_entry_trigrams ON search_entry USING gin (compact gin_trgm_ops)"
        " WITH (fastupdate = off)"
    ),
)
_INDEXES = ("search_text_document", "search_entry_trigrams")
_SORTING = "256MB"
"""Memory for making one of these indexes."""


class PostgreSQL:
    """One row for each entry.  A bitmap scan knows no order by place, so the most downloaded are asked for first.

    The indexes keep no list of pending entries: every search would read it, and now and then a write empty it.
    """

    def create(self) -> None:
        """Without ``pg_trgm`` (not installed, or not allowed) all but misspelt names is found all the same."""
        _run(_CREATE)
        _make_indexes()

    def drop(self) -> None:
        _drop_indexes()
        _run("DROP TABLE search_text")

    @contextmanager
    def filling(self) -> Iterator[None]:
        """An index of all rows at once takes a fraction of what it takes to put them in one by one.

        One that serves notes what is new, and sorts it in when that fills its list, many rows together.
        """
        if rows("SELECT EXISTS (SELECT 1 FROM search_text)", []) == [(False,)]:
            _drop_indexes()
        try:
            with _unhurried():
                yield
        finally:
            _make_indexes()

    def hold_off_others(self) -> None:
        rows("SELECT pg_advisory_xact_lock(%s)", [_LOCK])

    def write(self, entries: Iterable[Indexed]) -> None:
        """In order of place, so that of very many matches those come first that are downloaded most."""
        added = sorted((entry.place, _document(entry), entry.facets) for entry in entries)
        self.forget([place for place, *_ in added])
        insert_into("search_text", ("place", "document", "facets"), added)

    def forget(self, places: Sequence[int]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM search_text WHERE place = ANY(%s)", [list(places)])

    def matching(self, expression: Expression, limit: int, most: int, since: datetime | None = None) -> Matches:
        """In one question, whose answer the server joins: two values are read faster than thousands of rows."""
        query = f"WITH found AS MATERIALIZED (SELECT t.place, t.facets {_found(since)} LIMIT %s) {_JOINED}"
        [(total, places, facets)] = rows(query, [*_values(expression, since), most, limit])
        return Matches(_numbers(places), bytes(facets), total) if total else Matches()

    def first(self, expression: Expression, limit: int, since: datetime | None = None) -> list[int]:
        top = self._lowest(every(expression, TOP), limit, since)
        if len(top) >= limit:
            return top
        known = set(top)
        return [*top, *(place for place in self._lowest(expression, limit, since) if place not in known)][:limit]

    def _lowest(self, expression: Expression, limit: int, since: datetime | None) -> list[int]:
        """By place.  The inner limit bounds the work where very many match, at the price of an arbitrary choice."""
        found = f"SELECT t.place {_found(since)} LIMIT %s"
        query = f"SELECT place FROM ({found}) found ORDER BY place LIMIT %s"  # noqa: S608
        return [place for (place,) in rows(query, [*_values(expression, since), _LOOKED_AT, limit])]

    def alike(self, compact: str, limit: int) -> list[str]:
        if rows("SELECT to_regclass('search_entry_trigrams')", []) == [(None,)]:
            return []
        query = (
            "SELECT compact FROM search_entry WHERE compact %% %s AND length(compact) BETWEEN %s AND %s"
            " ORDER BY similarity(compact, %s) DESC, place LIMIT %s"
        )
        return [name for (name,) in rows(query, [compact, len(compact) - 2, len(compact) + 2, compact, limit])]

    @contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """What many have would be looked for in all rows, were the planner free to: it thinks of the limit alone."""
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, true), set_config('jit', 'off', true),"
                " set_config('enable_seqscan', 'off', true), set_config('pg_trgm.similarity_threshold', '0.4', true)",
                [str(max(1, int(seconds * 1000)))],
            )
            with connection.execute_wrapper(_until(time.monotonic() + seconds)):
                yield


@contextmanager
def _unhurried() -> Iterator[None]:
    """Commits that do not wait for the disk, and indexes that note first: what is lost, the next rebuild makes."""
    _run("SET synchronous_commit = off")
    _note("on")
    try:
        yield
    finally:
        _run("RESET synchronous_commit")
        _note("off")


def _note(switch: str) -> None:
    """Have the indexes keep a list of pending entries, or none."""
    for index in _INDEXES:
        if rows("SELECT to_regclass(%s)", [index]) != [(None,)]:
            _run(f"ALTER INDEX {index} SET (fastupdate = {switch})")
            rows("SELECT gin_clean_pending_list(%s::regclass)", [index])


def _drop_indexes() -> None:
    """Each in a transaction of its own: whoever has locked one table never waits here for the other."""
    for index in _INDEXES:
        _run(f"DROP INDEX IF EXISTS {index}")


def _make_indexes() -> None:
    """Those that are not there, each in a transaction of its own."""
    _make([_INDEX])
    try:
        _make(_TRIGRAMS)
    except DatabaseError as error:
        log.warning("search.no_trigrams", error=str(error))


def _make(statements: Iterable[str]) -> None:
    with transaction.atomic():
        _run(f"SET LOCAL maintenance_work_mem = '{_SORTING}'")
        for statement in statements:
            _run(statement)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _until(deadline: float) -> Callable[..., Any]:
    """Refuses to begin another statement after *deadline*: PostgreSQL's limit is for each by itself."""

    def execute(run: Callable[..., Any], *arguments: Any) -> Any:
        if time.monotonic() > deadline:
            raise OperationalError("the search took too long")
        return run(*arguments)

    return execute


def _found(since: datetime | None) -> str:
    """Where matches come from; with *since*, a second value is to be given."""
    if since is None:
        return "FROM search_text t WHERE t.document @@ %s::tsquery"
    return "FROM search_text t JOIN search_entry e USING (place) WHERE t.document @@ %s::tsquery AND e.updated >= %s"


def _values(expression: Expression, since: datetime | None) -> list[Any]:
    """Those that ``_found`` is given."""
    return [written(expression), since] if since else [written(expression)]


def _numbers(packed: bytes) -> list[int]:
    """What ``int8send`` has written, in order."""
    found = array("q", bytes(packed))
    if sys.byteorder == "little":
        found.byteswap()
    return sorted(found)


def _document(entry: Indexed) -> str:
    positions: dict[str, list[int]] = {}
    for position, token in enumerate(entry.text[:_POSITIONS], 1):
        positions.setdefault(token, []).append(position)
    words = [f"{_quoted(token)}:{','.join(map(str, places[:255]))}" for token, places in positions.items()]
    return " ".join([*words, *(_quoted(mark) for mark in dict.fromkeys(entry.marks))])


def _quoted(token: str) -> str:
    escaped = token.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def written(expression: Expression) -> str:
    """*expression* in the language of ``tsquery``."""
    match expression:
        case Token(text):
            return _quoted(text)
        case Start(text):
            return f"{_quoted(text)}:*"
        case Phrase(tokens):
            return f"({' <-> '.join(map(_quoted, tokens))})"
        case Every(parts):
            return f"({' & '.join(map(written, parts))})"
        case Some(parts):
            return f"({' | '.join(map(written, parts))})"
        case But(wanted, unwanted):
            return f"({written(wanted)} & !({written(unwanted)}))"
