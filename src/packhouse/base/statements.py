"""Questions to the database whose SQL is made once.

Django puts a query together and compiles it anew whenever it is asked; on the way of an upload that costs more than the
database takes to answer.  A `Question` has Django do it once, and afterwards only fills in other values.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final
from uuid import UUID

from django.db import connection, connections, models
from django.db.models import QuerySet
from django.db.models.sql import InsertQuery
from django.db.models.sql.compiler import SQLCompiler

_NUMBER: Final = 1_987_650_000
"""What stands for the first number while the SQL is made: nothing that a query has in it by itself."""


class Question:
    """A query of ``values_list`` or of whole objects, without joined ones (``select_related``) or locks.

    *build* makes it from as many values as *kinds* tell of (``int``, ``str``, ``bytes`` or ``UUID``).  They must reach
    the database as they are: no ``None``, no dates, nothing for ``icontains``.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *kinds: type) -> None:
        self._build = build
        self._kinds = kinds
        self._made: _Made | None = None

    def rows(self, *values: object) -> list[tuple[Any, ...]]:
        """All rows of the answer."""
        made = self._made
        if made is None:
            made = self._made = _Made(self._build, self._kinds)
        return made.ask(values)

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


class Insertion:
    """``INSERT`` of one new row of *model*, as ``save(force_insert=True)`` writes it, but for signals."""

    def __init__(self, model: type[models.Model]) -> None:
        self._model = model
        self._sql = ""

    def write(self, row: Any) -> None:
        """Write *row*, whose key the database gives where it is none yet."""
        meta = self._model._meta
        # A key that the database counts is never known before; any other stands in the row.
        key = meta.pk if isinstance(meta.pk, models.AutoField | models.BigAutoField) else None
        fields = [field for field in meta.concrete_fields if field is not key]
        values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
        if not self._sql:
            self._sql = _insertion(self._model, fields, row, returning=key)
        with connection.cursor() as cursor:
            cursor.execute(self._sql, values)
            if key is not None:
                setattr(row, key.attname, cursor.fetchone()[0])
        row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as Model.save does


def _insertion(model: type[models.Model], fields: list[Any], row: models.Model, *, returning: Any) -> str:
    query = InsertQuery(model)
    query.insert_values(fields, [row])
    compiler: Any = query.get_compiler(using=connection.alias)
    compiler.returning_fields = [returning] if returning is not None else None
    [(sql, _)] = compiler.as_sql()
    return str(sql)


class _Made:
    """The SQL of a question, where its values go, and how columns become what Python sees."""

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], kinds: tuple[type, ...]) -> None:
        marks = [_mark(kind, at) for at, kind in enumerate(kinds)]
        # A connection of its own, for what is kept here would keep that of the thread which happened to be the first.
        unused = connections.create_connection(connection.alias)
        try:
            compiler: SQLCompiler = build(*marks).query.get_compiler(connection=unused)
            self._sql, found = compiler.as_sql()
        finally:
            unused.close()
        self._places = [_place(value, marks) for value in found]
        if missing := set(range(len(marks))) - {place for place, _ in self._places}:
            raise TypeError(f"the query has no place for its values {sorted(missing)}")
        self._adapted = [(at, _adapter(kind)) for at, kind in enumerate(kinds) if kind in (bytes, UUID)]
        columns = [column[0] for column in compiler.select[: compiler.col_count]]
        self._converters = list(compiler.get_converters(columns).items())

    def ask(self, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        given: list[Any] = list(values)
        for at, adapt in self._adapted:
            given[at] = adapt(given[at])
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [given[at] if at >= 0 else fixed for at, fixed in self._places])
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
