"""Writing documents.  Every function runs in the writer's transaction, under the serial lock.

A *source* (written by the room that knows the rows) says what a document consists of; here it is cut into segments.
``refresh`` costs what the touched segments cost, whatever the size of the document.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, Self

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Subquery

from packhouse.base.statements import Alteration, Asked, Insertion, Question, in_one_go
from packhouse.documents import edition, generation
from packhouse.documents.models import Change, Document, Segment
from packhouse.documents.segments import deflate, inflate

if TYPE_CHECKING:
    from django_stubs_ext import ValuesQuerySet

_LOCK = int.from_bytes(hashlib.sha256(b"packhouse serials").digest()[:7], "big")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a document: its sort key, its bytes in each format, and how much room it takes in a segment."""

    key: bytes
    html: bytes = b""
    json: bytes = b""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Shell:
    """What stands before and behind the items, in each format, and the document's serial."""

    serial: int
    html_head: bytes = b""
    html_tail: bytes = b""
    json_head: bytes = b""
    json_tail: bytes = b""
    shared: str = ""


class Source(Protocol):
    """What a document is made from.  ``items`` yields, ascending by key, those with ``first <= key < before``."""

    @property
    def key(self) -> str: ...

    @property
    def segment_weight(self) -> int: ...

    def shell(self) -> Shell: ...

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]: ...


def current() -> int:
    """The edition that this process makes."""
    return edition.number(edition.stamp_of(settings.PACKHOUSE.public_url))


def serial_lock() -> None:
    """Make this transaction the only one that writes serials and documents, until it ends.

    Serials and change ids must become visible in the order in which they grow, or a reader that asks for "all since N"
    misses rows that commit late.  PostgreSQL needs a lock for that; on SQLite a writer is alone anyway.  Take it late.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


class Writing:
    """Several documents brought up to date together: what is stored of them is asked for once and written once.

    Use it as a context manager inside the writer's transaction: the end of the block writes.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._stored = _stored(tuple(keys))
        self._whole: list[Document] = []
        self._parts: list[Document] = []
        self._segments: list[Segment] = []
        self._changed: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._write()

    def is_one_piece(self, key: str) -> bool:
        """Whether the document is stored, and in a single segment: there is little of it."""
        stored = self._stored.get(key)
        return stored is not None and not stored.segmented

    def json_tail(self, key: str) -> bytes | None:
        """What stands behind the items of the document in JSON; None when that is of no use: the whole is made anew."""
        stored = self._stored.get(key)
        if stored is None or not edition.is_of(current(), key, stored.made):
            return None
        found = _JSON_TAIL.first(key)
        return None if found is None else plain(found[0])

    def refresh(self, source: Source, touched: Iterable[bytes]) -> None:
        """Write the shell of *source*'s document and the segments in which the *touched* keys lie."""
        document = self._stored.get(source.key)
        if document is None or not edition.is_of(current(), source.key, document.made):
            rebuild(source)
            return
        _apply_shell(document, source.shell())
        done: set[bytes] = set()
        for key in touched:
            first, before = _bounds(document, key)
            if first not in done:
                done.add(first)
                self._rewrite(document, source, first, before)
        (self._parts if document.get_deferred_fields() else self._whole).append(document)
        self._changed.append(source.key)

    def bounds(self, key: str, touched: bytes) -> tuple[bytes, bytes | None]:
        """From which key on, and before which, the items will be asked for when *touched* has changed."""
        document = self._stored.get(key)
        return (b"", None) if document is None else _bounds(document, touched)

    def put(self, source: Source) -> None:
        """Write the document of a *source* that has no items, whether or not it is there already."""
        document = Document(key=source.key)
        _apply_shell(document, source.shell())
        self._whole.append(document)
        self._changed.append(source.key)

    def _rewrite(self, document: Document, source: Source, first: bytes, before: bytes | None) -> None:
        """Make the items in ``[first, before)`` one segment or, when they have grown too many, several."""
        chunks = cut(source.items(first, before), source.segment_weight)
        chunk, rest = next(chunks, []), list(chunks)
        if first:
            self._segments.append(_segment(document, chunk, first))
        else:
            document.html, document.json = as_body(chunk, "html"), as_body(chunk, "json")
        self._segments += [_segment(document, chunk) for chunk in rest]
        document.segmented = document.segmented or bool(rest)

    def _write(self) -> None:
        with in_one_go():
            for segment in self._segments:
                _replace(segment)
            for document in self._parts:
                _save(document)
            for document in self._whole:
                _WHOLE.put(document)
            for key in self._changed:
                _CHANGE.put(Change(key=key))
        if self._changed:
            _tell_readers(*self._changed)


def refresh(source: Source, touched: Iterable[bytes]) -> None:
    """Bring one document up to date, see `Writing.refresh`."""
    with Writing([source.key]) as writing:
        writing.refresh(source, touched)


def rebuild(source: Source) -> None:
    """Write the whole document of *source* anew."""
    document, created = Document.objects.get_or_create(key=source.key)
    if not created:
        document.segments.all().delete()
    document.segmented = False
    _apply_shell(document, source.shell())
    _fill(document, source)
    _save(document)
    mark_changed(source.key)


def put(source: Source) -> None:
    """Write the document of a *source* that has no items, in one statement whether or not it is there already."""
    with Writing([]) as writing:
        writing.put(source)


def drop(key: str) -> None:
    """Remove the document *key*, if there is one."""
    if Document.objects.filter(key=key).delete()[0]:
        mark_changed(key)


def mark_changed(*keys: str) -> None:
    """Tell readers, once this transaction commits, that the documents *keys* are not what they were."""
    Change.objects.bulk_create([Change(key=key) for key in keys])
    _tell_readers(*keys)


def _tell_readers(*keys: str) -> None:
    transaction.on_commit(partial(generation.of(settings.PACKHOUSE.home).bump, *keys))


def asked_stored(*keys: str) -> Asked:
    """What a `Writing` of the documents *keys* asks first."""
    question = _STORED.get(len(keys))
    if question is None:
        question = _STORED[len(keys)] = Question(_heads, *(str for _ in keys))
    return question, *keys


def asked_json_tail(key: str) -> Asked:
    """What `Writing.json_tail` asks."""
    return _JSON_TAIL, key


def asked_bounds(key: str, touched: bytes) -> Asked:
    """What a `Writing` asks to change a large document *key* where *touched* lies."""
    return _AROUND, key, touched


def _stored(keys: tuple[str, ...]) -> dict[str, Document]:
    """The documents *keys* that are there, without their bodies."""
    question, *values = asked_stored(*keys)
    rows = question.rows(*values) if keys else []
    return {row[0]: Document.from_db(connection.alias, _HEAD, row) for row in rows}


def _heads(*keys: str) -> "ValuesQuerySet[Document, tuple[Any, ...]]":
    return Document.objects.filter(key__in=keys).values_list(*_HEAD)


_STORED: dict[int, Question] = {}
_JSON_TAIL = Question(lambda key: Document.objects.filter(key=key).values_list("json_tail"), str)
_HEAD = ("key", "serial", "segmented", "shared", "made")
_SEGMENTS_AT_ONCE = 100
_BODIES = ("html", "json", "html_head", "html_tail", "json_head", "json_tail")
_FIELDS = ("serial", "shared", "segmented", "made", *_BODIES)
_WHOLE = Insertion(Document, replacing=("key",))
_SEGMENT = Insertion(Segment, replacing=("document", "first"))
_CHANGE = Insertion(Change)


def _save(document: Document) -> None:
    """Write what was set; a body that was not touched was not read either."""
    untouched = document.get_deferred_fields()
    Alteration(Document, *(name for name in _FIELDS if name not in untouched)).put(document)


def _replace(segment: Segment) -> None:
    """Write *segment*, whether or not one begins there already; without anything in it, remove that."""
    if segment.html or segment.json:
        _SEGMENT.put(segment)
    else:
        Segment.objects.filter(document_id=segment.document_id, first=segment.first).delete()


def _apply_shell(document: Document, shell: Shell) -> None:
    document.serial = shell.serial
    document.shared = shell.shared
    document.made = current()
    document.html_head, document.html_tail = deflate(shell.html_head), deflate(shell.html_tail)
    document.json_head, document.json_tail = deflate(shell.json_head), deflate(shell.json_tail)


def _bounds(document: Document, key: bytes) -> tuple[bytes, bytes | None]:
    """The segment in which *key* belongs: its first key (empty for the one in the document's own row), and the next's.

    There is no next segment behind the last.
    """
    if not document.segmented:
        return b"", None
    if found := _AROUND.first(document.key, key):
        first, after = found
    else:
        first, after = b"", (_AFTER.first(document.key, key) or (None,))[0]
    return bytes(first), None if after is None else bytes(after)


def _after(document: object, key: object) -> "ValuesQuerySet[Segment, tuple[Any]]":
    return Segment.objects.filter(document_id=document, first__gt=key).order_by("first").values_list("first")[:1]


_AFTER = Question(_after, str, bytes)
_AROUND = Question(
    lambda document, key: (
        Segment.objects.filter(document_id=document, first__lte=key)
        .order_by("-first")
        .values_list("first", Subquery(_after(document, key)))[:1]
    ),
    str,
    bytes,
)


def _fill(document: Document, source: Source) -> None:
    """Write all items of *source* into *document*, which has no segments."""
    chunks = cut(source.items(b"", None), source.segment_weight)
    chunk = next(chunks, [])
    document.html, document.json = as_body(chunk, "html"), as_body(chunk, "json")
    while some := list(islice(chunks, _SEGMENTS_AT_ONCE)):
        Segment.objects.bulk_create([_segment(document, chunk) for chunk in some])
        document.segmented = True


def _segment(document: Document, chunk: list[Item], first: bytes = b"") -> Segment:
    html, json = as_body(chunk, "html"), as_body(chunk, "json")
    return Segment(document=document, first=first or chunk[0].key, serial=document.serial, html=html, json=json)


def plain(piece: bytes | memoryview) -> bytes | None:
    """The raw bytes of a stored piece, None when it is damaged."""
    try:
        return inflate(bytes(piece))
    except zlib.error:
        return None


def as_body(chunk: list[Item], fmt: str) -> bytes:
    if fmt == "html":
        return deflate(b"".join(item.html for item in chunk))
    return deflate(b",".join(item.json for item in chunk if item.json))


def cut(items: Iterable[Item], weight: int) -> Iterator[list[Item]]:
    """Chunks of at most *weight*, halved rather than filled when there are several, so that each has room to grow.

    Reads no further ahead than one chunk.
    """
    remaining = iter(items)
    first, load = [], 0
    for item in remaining:
        first.append(item)
        load += item.weight
        if load > weight and len(first) > 1:
            yield from _halved(chain(first, remaining), max(weight // 2, 1))
            return
    if first:
        yield first


def _halved(items: Iterable[Item], half: int) -> Iterator[list[Item]]:
    chunk: list[Item] = []
    load = 0
    for item in items:
        if chunk and load + item.weight > half:
            yield chunk
            chunk, load = [], 0
        chunk.append(item)
        load += item.weight
    if chunk:
        yield chunk
