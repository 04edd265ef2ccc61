"""Questions to the database whose SQL is made once, and many statements on one way there and back.

Django puts a query together and compiles it anew whenever it is asked; on the way of an upload that costs more than the
database takes to answer.  A `Question` has Django do it once, and afterwards only fills in other values.

While a writer waits for each answer, everybody waits who waits for the writer's locks.  So statements that do not need
each other's answers go to PostgreSQL together, as one text (`in_one_go`, `asked_ahead`, `written_together`); on SQLite,
where no way is long, they follow each other as ever.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final
from uuid import UUID

from django.db import connection, connections, models
from django.db.models import QuerySet
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler

_NUMBER: Final = 1_987_650_000
"""What stands for the first number while the SQL is made: nothing that a query has in it by itself."""


class Question:
    """A query of ``values_list`` or of whole objects, without joined ones (``select_related``).

    *build* makes it from as many values as *kinds* tell of (``int``, ``str``, ``bytes`` or ``UUID``).  They must reach
    the database as they are: no ``None``, no dates, nothing for ``icontains``.  With *locks* the rows are locked until
    the transaction ends, where the database can do that.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *kinds: type, locks: bool = False) -> None:
        self._build = build
        self._kinds = kinds
        self._locks = locks
        self._made: _Made | None = None

    def rows(self, *values: object) -> list[tuple[Any, ...]]:
        """All rows of the answer."""
        known = _AHEAD.get().get((self, values))
        if known is not None:
            return known
        with connection.cursor() as cursor:
            self.send(cursor, values)
            return self.receive(cursor)

    def send(self, cursor: Any, values: tuple[object, ...]) -> None:
        """Ask over *cursor*, from which `receive` takes the answer."""
        if self._made is None:
            self._made = _Made(self._build, self._kinds, locks=self._locks)
        self._made.send(cursor, values)

    def receive(self, cursor: Any) -> list[tuple[Any, ...]]:
        assert self._made is not None, "nothing was sent"
        return self._made.receive(cursor)

    def first(self, *values: object) -> tuple[Any, ...] | None:
        """The first row; None where there is none."""
        return next(iter(self.rows(*values)), None)

    def exists(self, *values: object) -> bool:
        """Whether the answer has a row."""
        return bool(self.rows(*values))

    def objects(self, model: type[models.Model], *values: object) -> Iterator[Any]:
        """The rows as objects of *model*, of which the query takes all fields."""
        names = [field.attname for field in model._meta.concrete_fields]
        return (model.from_db(connection.alias, names, row) for row in self.rows(*values))

    def object(self, model: type[models.Model], *values: object) -> Any:
        """The first row as an object of *model*; None where there is none."""
        return next(self.objects(model, *values), None)


Asked = tuple[Question, *tuple[object, ...]]
"""A question and its values."""


class Insertion:
    """``INSERT`` of one row of *model*, as ``save(force_insert=True)`` writes it, but for signals.

    Where another row is there already with the same values in the fields *replacing*, that one is changed.  With
    *unless_there* a row that would collide with another is not written, and gets no key.
    """

    def __init__(
        self, model: type[models.Model], *, replacing: tuple[str, ...] = (), unless_there: bool = False
    ) -> None:
        self._model = model
        self._replacing = replacing
        self._unless_there = unless_there
        self._sql = ""

    def write(self, row: Any) -> None:
        """Write *row*, whose key the database gives where it is none yet."""
        with connection.cursor() as cursor:
            self.send(cursor, row)
            self.receive(cursor, row)

    def put(self, row: Any) -> None:
        """Write *row*; nobody needs its key."""
        with connection.cursor() as cursor:
            self.send(cursor, row)

    def send(self, cursor: Any, row: Any) -> None:
        """Write *row* over *cursor*, from which `receive` takes the key."""
        key = self._key
        fields = [field for field in self._model._meta.concrete_fields if field is not key]
        values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
        if not self._sql:
            self._sql = self._compiled(fields, row)
        cursor.execute(self._sql, values)

    def receive(self, cursor: Any, row: Any) -> None:
        if self._key is not None:
            if (returned := cursor.fetchone()) is None:
                return
            setattr(row, self._key.attname, returned[0])
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as Model.save does

    @property
    def _key(self) -> Any:
        """A key that the database counts, which is never known before; any other stands in the row."""
        key = self._model._meta.pk
        return key if isinstance(key, models.AutoField | models.BigAutoField) else None

    def _compiled(self, fields: list[Any], row: models.Model) -> str:
        query = InsertQuery(self._model)
        if self._replacing:
            unique = [field for field in fields if field.name in self._replacing]
            changed = [field for field in fields if field.name not in self._replacing]
            query = InsertQuery(self._model, on_conflict=OnConflict.UPDATE, update_fields=changed, unique_fields=unique)
        elif self._unless_there:
            query = InsertQuery(self._model, on_conflict=OnConflict.IGNORE)
        query.insert_values(fields, [row])
        compiler: Any = query.get_compiler(using=connection.alias)
        compiler.returning_fields = [self._key] if self._key is not None else None
        [(sql, _)] = compiler.as_sql()
        return str(sql)


@contextmanager
def in_one_go() -> Iterator[None]:
    """What is executed inside goes to PostgreSQL by the end of the block, all at once, and so do its errors come up.

    For statements whose answers nobody looks at inside: numbers of rows are not known there, and to fetch is an error.
    """
    if connection.vendor != "postgresql":
        yield
        return
    with _put_off() as texts:
        yield
    if texts:
        with connection.cursor() as cursor:
            cursor.execute(_TOGETHER.join(texts))


_TOGETHER: Final = ";\n"
"""What stands between statements that PostgreSQL is to do one after the other ("simple query" of its protocol)."""


@contextmanager
def _put_off() -> Iterator[list[str]]:
    """The texts of what is executed inside, with its values in them, instead of its execution; for PostgreSQL alone."""
    texts: list[str] = []

    def put_off(execute: object, sql: str, values: Any, many: bool, context: Mapping[str, Any]) -> None:
        write = context["cursor"].mogrify
        texts.extend(write(sql, one) for one in (values if many else [values]))

    with connection.execute_wrapper(put_off):
        yield texts


def _answers(texts: list[str]) -> Iterator[Any]:
    """Execute *texts*; a cursor from which the answer to each of them is to be fetched before the next."""
    with connection.cursor() as cursor:
        cursor.execute(_TOGETHER.join(texts))
        for number in range(len(texts)):
            if number:
                cursor.nextset()
            yield cursor


@contextmanager
def asked_ahead(questions: Iterable[Asked]) -> Iterator[None]:
    """Ask all *questions* on one way; inside, the same is answered from what was found.

    Nothing inside may change those answers, nor wait for somebody who does.  On SQLite nobody looks at *questions*.
    """
    asked = dict.fromkeys(questions) if connection.vendor == "postgresql" else {}
    if not asked:
        yield
        return
    with _put_off() as texts, connection.cursor() as unused:
        for question, *values in asked:
            question.send(unused, tuple(values))
    found = dict(_AHEAD.get())
    for (question, *values), cursor in zip(asked, _answers(texts), strict=True):
        found[question, tuple(values)] = question.receive(cursor)
    before = _AHEAD.set(found)
    try:
        yield
    finally:
        _AHEAD.reset(before)


def written_together(
    *rows: tuple[Insertion, Any], before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None
) -> None:
    """Do what comes *before*, write *rows*, each with its insertion, in their order, and do what comes *after*; all on
    one way."""
    if connection.vendor != "postgresql":
        before()
        for insertion, row in rows:
            insertion.write(row)
        after()
        return
    with _put_off() as texts, connection.cursor() as unused:
        before()
        first = len(texts)
        for insertion, row in rows:
            insertion.send(unused, row)
        after()
    written: dict[int, tuple[Insertion, Any]] = dict(enumerate(rows, start=first))
    for number, cursor in enumerate(_answers(texts)):
        if number in written:
            insertion, row = written[number]
            insertion.receive(cursor, row)


Answers = Mapping[tuple[Question, tuple[object, ...]], list[tuple[Any, ...]]]
_AHEAD: ContextVar[Answers] = ContextVar("ahead", default={})  # noqa: B039 - replaced, never changed


class Alteration:
    """``UPDATE`` of *fields* of one row of *model*, as ``save(update_fields=…)`` writes it, but for signals.

    That no row is there is no error.
    """

    def __init__(self, model: type[models.Model], *fields: str) -> None:
        self._model = model
        self._names = fields

    def put(self, row: Any) -> None:
        meta: Any = self._model._meta
        quoted = connection.ops.quote_name
        fields = [meta.get_field(name) for name in (*self._names, meta.pk.name)]
        *changed, key = [quoted(field.column) for field in fields]
        changes = ", ".join(f"{column} = %s" for column in changed)
        values = [field.get_db_prep_save(field.pre_save(row, add=False), connection) for field in fields]
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {quoted(meta.db_table)} SET {changes} WHERE {key} = %s", values)  # noqa: S608


class _Made:
    """The SQL of a question, where its values go, and how columns become what Python sees."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], kinds: tuple[type, ...], *, locks: bool) -> None:
        marks = [_mark(kind, at) for at, kind in enumerate(kinds)]
        # A connection of its own, for what is kept here would keep that of the thread which happened to be the first.
        unused = connections.create_connection(connection.alias)
        try:
            compiler: SQLCompiler = build(*marks).query.get_compiler(connection=unused)
            self._sql, found = compiler.as_sql()
        finally:
            unused.close()
        if locks and connection.features.has_select_for_update:
            self._sql = f"{self._sql} {connection.ops.for_update_sql()}"
        self._places = [_place(value, marks) for value in found]
        if missing := set(range(len(marks))) - {place for place, _ in self._places}:
            raise TypeError(f"the query has no place for its values {sorted(missing)}")
        self._adapted = [(at, _adapter(kind)) for at, kind in enumerate(kinds) if kind in (bytes, UUID)]
        columns = [column[0] for column in compiler.select[: compiler.col_count]]
        self._converters = list(compiler.get_converters(columns).items())

    def send(self, cursor: Any, values: tuple[object, ...]) -> None:
        given: list[Any] = list(values)
        for at, adapt in self._adapted:
            given[at] = adapt(given[at])
        cursor.execute(self._sql, [given[at] if at >= 0 else fixed for at, fixed in self._places])

    def receive(self, cursor: Any) -> list[tuple[Any, ...]]:
        rows = cursor.fetchall()
        return list(map(self._converted, rows)) if self._converters else rows

    def _converted(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for at, (converters, column) in self._converters:
            for convert in converters:
                values[at] = convert(values[at], column, connection)
        return tuple(values)


def _adapter(kind: type) -> Callable[[Any], Any]:
    """What the ORM does to values of *kind* before the database's own module has them."""
    if kind is bytes:
        binary: Callable[[Any], Any] = getattr(connection, "Database").Binary  # noqa: B009 - unknown to the stubs
        return binary
    return (lambda value: value) if connection.features.has_native_uuid_field else (lambda value: value.hex)


def _mark(kind: type, at: int) -> object:
    if kind is int:
        return _NUMBER + at
    if kind is UUID:
        return UUID(int=_NUMBER + at)
    text = f"\x02{at}\x03"
    return text if kind is str else text.encode()


def _place(value: object, marks: list[object]) -> tuple[int, Any]:
    """Which of the values stands there, or -1 and what always stands there."""
    plain = getattr(value, "obj", value)
    plain = bytes(plain) if isinstance(plain, memoryview) else plain
    for at, mark in enumerate(marks):
        if (type(plain) is type(mark) and plain == mark) or (isinstance(mark, UUID) and plain == mark.hex):
            return at, None
    if isinstance(plain, str) and "\x02" in plain:
        raise TypeError(f"a value reaches the database as {plain!r}: only comparisons as they are can be filled in")
    return -1, value
