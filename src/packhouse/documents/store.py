"""Reading documents, without Django: what the data plane stands on.

A *reader* answers three questions from the database: the pieces of a document, what changed since a change id, and the
newest change id.  Keys are those of ``documents.models``; ``release/{project}/{version}`` documents are completed with
the project's shared piece.
"""

import select
import sqlite3
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import unquote, urlsplit

from packhouse.documents import edition
from packhouse.documents.segments import SEPARATORS, deflate, sequence

Format = Literal["html", "json"]


@dataclass(frozen=True, slots=True)
class Pieces:
    """One document in one format: deflate pieces in order, and the serial it stands at."""

    serial: int
    pieces: list[bytes]


@dataclass(frozen=True, slots=True)
class Changes:
    """Keys that changed, up to the change id ``last``.  ``complete`` is false when older ones were already pruned."""

    last: int
    keys: list[str]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Outline:
    """A large document: its ends, its first segment, and the others that were written since some serial.

    ``changed`` holds (first key, piece); ``firsts`` the first keys of all in order, None where they are those that the
    reader knows.
    """

    serial: int
    head: bytes
    first: bytes
    tail: bytes
    firsts: list[bytes] | None
    changed: list[tuple[bytes, bytes]]


class Reader(Protocol):
    """The database as the data plane sees it.  Every method may raise ``Unavailable``."""

    inline: bool  # quick enough to be asked on the event loop

    def load(self, key: str, fmt: Format, *, whole: bool = True) -> Pieces | Literal["segmented"] | None: ...

    def size(self, key: str, fmt: Format) -> int: ...

    def outline(self, key: str, fmt: Format, since: int, known: Collection[bytes] = ()) -> Outline | None: ...

    def last_change(self) -> int: ...

    def changes(self, since: int) -> Changes: ...

    def close(self) -> None: ...


class Unavailable(Exception):
    """The database did not answer."""


class Outdated(Unavailable):
    """The document is of another edition: its links may lead nowhere.  It must be made anew first."""


EVERYTHING = "*"
"""In the change feed: any document may have changed."""
_MOST_CHANGES = 5000
_FROM_DOCUMENT = "FROM documents_document WHERE key ="


class _Queries(ABC):
    """The questions in SQL, the same for both databases but for the mark of a parameter."""

    mark = "?"
    error: type[Exception] = Exception

    def __init__(self, edition: int | None = None) -> None:
        self._edition = edition
        m = self.mark
        self._head = {
            fmt: f"SELECT serial, segmented, {fmt}_head, {fmt}, {fmt}_tail, made {_FROM_DOCUMENT} {m}"
            for fmt in ("html", "json")
        }
        self._rest = {
            fmt: f"SELECT {fmt} FROM documents_segment WHERE document_id = {m} ORDER BY first"  # noqa: S608
            for fmt in ("html", "json")
        }
        self._firsts = f"SELECT first FROM documents_segment WHERE document_id = {m} ORDER BY first"  # noqa: S608
        self._count = f"SELECT COUNT(*) FROM documents_segment WHERE document_id = {m}"  # noqa: S608
        self._size = {
            fmt: f"SELECT COALESCE(SUM(LENGTH({fmt})), 0) FROM documents_segment WHERE document_id = {m}"  # noqa: S608
            for fmt in ("html", "json")
        }
        self._since = {
            fmt: f"SELECT first, {fmt} FROM documents_segment WHERE document_id = {m} AND serial >= {m}"  # noqa: S608
            for fmt in ("html", "json")
        }
        self._shared = f"SELECT serial, shared FROM documents_document WHERE key = {m}"  # noqa: S608
        self._changes = f"SELECT id, key FROM documents_change WHERE id > {m} ORDER BY id LIMIT {_MOST_CHANGES}"  # noqa: S608

    @abstractmethod
    def rows(self, sql: str, *parameters: object) -> list[Any]:
        """All rows that *sql* finds."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """What is asked inside sees the database at one moment."""

    def load(self, key: str, fmt: Format, *, whole: bool = True) -> Pieces | Literal["segmented"] | None:
        """The pieces of document *key*; ``"segmented"`` for a large one unless *whole* is asked for.

        Raises ``Outdated`` for one of another edition than the reader's, where that has one.
        """
        if key.startswith("release/"):
            return self._load_release(key)
        found = self._current(key, self.rows(self._head[fmt], key))
        if not found:
            return None
        if not found[0][1]:
            return _pieces(found[0], [], fmt)
        return self._load_segmented(key, fmt) if whole else "segmented"

    def _load_segmented(self, key: str, fmt: Format) -> Pieces | None:
        with self.snapshot():
            found = self._current(key, self.rows(self._head[fmt], key))
            rest = [bytes(body) for (body,) in self.rows(self._rest[fmt], key)]
        return _pieces(found[0], rest, fmt) if found else None

    def _load_release(self, key: str) -> Pieces | None:
        """A release's JSON document, with its project's shared piece (serial, ownership) in the middle."""
        project = key.split("/")[1]
        with self.snapshot():
            found = self._current(key, self.rows(self._head["json"], key))
            shared = self.rows(self._shared, f"project/{project}")
        if not found or not shared:
            return None
        head, tail = bytes(found[0][2]), bytes(found[0][4])
        return Pieces(shared[0][0], [head, deflate(shared[0][1].encode()), tail])

    def _current(self, key: str, found: list[Any]) -> list[Any]:
        if found and self._edition is not None and not edition.is_of(self._edition, key, found[0][-1]):
            raise Outdated(key)
        return found

    def size(self, key: str, fmt: Format) -> int:
        """The bytes that document *key* takes beyond its first segment: 0 where it has no other."""
        return int(self.rows(self._size[fmt], key)[0][0])

    def outline(self, key: str, fmt: Format, since: int, known: Collection[bytes] = ()) -> Outline | None:
        """Document *key* with the segments written at serial *since* or later, for who has all older ones.

        *known* are the first keys of those.  All first keys are asked for only when some of them are gone.
        """
        with self.snapshot():
            found = self.rows(self._head[fmt], key)
            changed = [(bytes(first), bytes(piece)) for first, piece in self.rows(self._since[fmt], key, since)]
            firsts = self._order(key, known, {first for first, _ in changed}.difference(known))
        if not found:
            return None
        serial, _, head, first, tail, _ = found[0]
        return Outline(serial, bytes(head), bytes(first), bytes(tail), firsts, changed)

    def _order(self, key: str, known: Collection[bytes], added: set[bytes]) -> list[bytes] | None:
        """The first keys in order; None when they are those that are *known*."""
        if self.rows(self._count, key)[0][0] != len(known) + len(added):
            return [bytes(first) for (first,) in self.rows(self._firsts, key)]
        return sorted((*known, *added)) if added else None

    def last_change(self) -> int:
        return int(self.rows("SELECT COALESCE(MAX(id), 0) FROM documents_change")[0][0])

    def changes(self, since: int) -> Changes:
        found = self.rows(self._changes, since)
        if not found:
            return Changes(since, [])
        complete = len(found) < _MOST_CHANGES and (found[0][0] == since + 1 or self._kept(since))
        return Changes(found[-1][0] if complete else self.last_change(), [key for _, key in found], complete)

    def _kept(self, since: int) -> bool:
        """Whether the feed still reaches back to *since*: rolled back ids leave gaps as well as pruning."""
        return int(self.rows("SELECT COALESCE(MIN(id), 0) FROM documents_change")[0][0]) <= since + 1


def _pieces(row: Any, rest: list[bytes], fmt: Format) -> Pieces:
    serial, _, head, first, tail, _ = row
    return Pieces(serial, sequence(bytes(head), [bytes(first), *rest], bytes(tail), SEPARATORS[fmt]))


class SQLiteReader(_Queries):
    """Reads from an SQLite file.  A point query takes some ten microseconds and never waits for a writer (WAL)."""

    inline = True

    def __init__(self, path: str | Path, edition: int | None = None) -> None:
        super().__init__(edition)
        self._connection = sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only = ON")
        self._lock = threading.RLock()

    def rows(self, sql: str, *parameters: object) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise Unavailable(str(error)) from error

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        with self._lock:
            self.rows("BEGIN")
            try:
                yield
            finally:
                self._connection.rollback()

    def close(self) -> None:
        """Close once no thread asks any more; who asks later meets ``Unavailable``."""
        with self._lock:
            self._connection.close()


class PostgresReader(_Queries):
    """Reads from PostgreSQL, one connection a thread, opened anew when it has broken, also while nothing was asked."""

    inline = False
    mark = "%s"

    def __init__(self, url: str, edition: int | None = None) -> None:
        super().__init__(edition)
        self._url = url
        self._patience: dict[str, Any] = {"connect_timeout": 3, "keepalives_idle": 5, "tcp_user_timeout": 5000}
        self._local = threading.local()
        self._opened: list[Any] = []
        self._is_closed = False
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._opened).atexit = False

    def _connection(self) -> Any:
        import psycopg  # noqa: PLC0415 - only where PostgreSQL is used

        if self._is_closed:
            raise Unavailable("the reader is closed")
        connection = getattr(self._local, "connection", None)
        if connection is None or _is_lost(connection):
            self._forget()
            connection = psycopg.connect(
                self._url, autocommit=True, options="-c statement_timeout=10000", **self._patience
            )
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._local.connection = connection
            with self._lock:
                self._opened[:] = [*(other for other in self._opened if not other.closed), connection]
        return connection

    def rows(self, sql: str, *parameters: object) -> list[Any]:
        import psycopg  # noqa: PLC0415

        try:
            return list(self._connection().execute(sql, parameters or None, binary=True).fetchall())
        except psycopg.OperationalError as error:
            self._forget()
            raise Unavailable(str(error)) from error

    def close(self) -> None:
        """Close the connections of all threads, each once nothing is asked over it any more."""
        self._is_closed = True
        _close_all(self._opened)

    def _forget(self) -> None:
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        import psycopg  # noqa: PLC0415

        try:
            with self._connection().transaction():
                yield
        except psycopg.OperationalError as error:
            self._forget()
            raise Unavailable(str(error)) from error


def _is_lost(connection: Any) -> bool:
    """Whether it is closed, or the server has hung up since it was last asked: then its end can be read."""
    import psycopg  # noqa: PLC0415

    if connection.closed:
        return True
    if connection.info.transaction_status:  # within one, what breaks is for whoever has begun it
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        connection.pgconn.consume_input()  # what else it may have said
    except psycopg.OperationalError:
        return True
    return bool(poll.poll(0))


def _close_all(connections: list[Any]) -> None:
    for connection in connections:
        with connection.lock:
            connection.close()


def from_url(url: str, edition: int | None = None) -> SQLiteReader | PostgresReader:
    """The reader for the database *url* (``sqlite:///path`` or ``postgresql://…``), of documents of that *edition*."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return SQLiteReader("/" + unquote(parts.path).lstrip("/"), edition)
    return PostgresReader(url, edition)
