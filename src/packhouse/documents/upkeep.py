"""Many documents at once, and whether stored documents are what their sources say.

Writing functions run in the writer's transaction, under the serial lock, as those of ``actions`` do.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from packhouse.base.bulk import insert
from packhouse.documents import edition
from packhouse.documents.actions import Item, Shell, Source, as_body, current, cut, mark_changed, plain
from packhouse.documents.models import Document, Segment
from packhouse.documents.segments import deflate
from packhouse.documents.store import EVERYTHING

_KEYS_AT_ONCE = 500
_BYTES_AT_ONCE = 8 * 1024**2
_FIELDS = ("serial", "shared", "segmented", "html_head", "html", "html_tail", "json_head", "json", "json_tail")


def drop_many(keys: Iterable[str]) -> None:
    """Remove the documents *keys*; those that are not there are no error."""
    wanted = list(keys)
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        some = wanted[start : start + _KEYS_AT_ONCE]
        there = list(Document.objects.filter(key__in=some).values_list("key", flat=True))
        Segment.objects.filter(document_id__in=there).delete()
        Document.objects.filter(key__in=there).delete()
        mark_changed(*there)


def rebuild_many(sources: Iterable[Source]) -> int:
    """Write the whole documents of *sources*, a few queries for hundreds of them; returns how many there were.

    Sources are taken one by one and written in batches of bounded size.
    """
    count, size, batch = 0, 0, list[NewRows]()
    for source in sources:
        batch.append(made := new_rows(source))
        size += made.size
        count += 1
        if size > _BYTES_AT_ONCE or len(batch) >= _KEYS_AT_ONCE:
            _replace(batch)
            size, batch = 0, []
    if batch:
        _replace(batch)
    return count


class NewRows(NamedTuple):
    """A document's row and those of its further segments, as values in the order of ``_DOCUMENT`` and ``_SEGMENT``."""

    document: tuple[Any, ...]
    segments: list[tuple[Any, ...]]

    @property
    def size(self) -> int:
        """About the bytes that they take."""
        own = sum(map(len, self.document[4:]))
        return own + sum(len(segment[3]) + len(segment[4]) for segment in self.segments)


_DOCUMENT = ("key", *_FIELDS)
_SEGMENT = ("document", "first", "serial", "html", "json")
TABLES = (Document, Segment)


def new_rows(source: Source) -> NewRows:
    """The whole document of *source*.  Asks the database nothing but what the source does."""
    shell = source.shell()
    first, *rest = list(cut(source.items(b"", None), source.segment_weight)) or [[]]
    document = (
        *(source.key, shell.serial, shell.shared, bool(rest)),
        *(deflate(shell.html_head), as_body(first, "html"), deflate(shell.html_tail)),
        *(deflate(shell.json_head), as_body(first, "json"), deflate(shell.json_tail)),
    )
    segments = [
        (source.key, chunk[0].key, shell.serial, as_body(chunk, "html"), as_body(chunk, "json")) for chunk in rest
    ]
    return NewRows(document, segments)


def insert_new(made: Sequence[NewRows]) -> None:
    """Write documents that are not there yet; readers are to be told by the caller (``mark_everything_changed``)."""
    edition_made = current()
    insert(Document, (*_DOCUMENT, "made"), ((*row.document, edition_made) for row in made))
    insert(Segment, _SEGMENT, (segment for row in made for segment in row.segments))


def outdated(keys: Collection[str]) -> set[str]:
    """Those of the documents *keys* that are stored and not of this process's edition."""
    rows = Document.objects.filter(key__in=keys).exclude(made=current()).values_list("key", "made")
    return {key for key, made in rows if not edition.is_of(current(), key, made)}


def mark_everything_changed() -> None:
    mark_changed(EVERYTHING)


def _replace(made: Sequence[NewRows]) -> None:
    keys = [row.document[0] for row in made]
    Segment.objects.filter(document_id__in=keys).delete()
    edition_made = current()
    documents = [Document(made=edition_made, **dict(zip(_DOCUMENT, row.document, strict=True))) for row in made]
    Document.objects.bulk_create(
        documents, batch_size=50, update_conflicts=True, unique_fields=["key"], update_fields=[*_FIELDS, "made"]
    )
    insert(Segment, _SEGMENT, (segment for row in made for segment in row.segments))
    mark_changed(*keys)


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored document: its row and its segments behind the one in the row, in order."""

    document: Document
    segments: Sequence[Segment] = ()

    def matches(self, source: Source) -> bool:
        """Whether every byte is what *source* says."""
        pieces = [Segment(first=b"", html=self.document.html, json=self.document.json), *self.segments]
        ends = [*(bytes(piece.first) for piece in pieces[1:]), None]
        return _same_shell(self.document, source.shell()) and all(
            _same_items(piece, source.items(bytes(piece.first), end)) for piece, end in zip(pieces, ends, strict=True)
        )


def stored(keys: Sequence[str]) -> dict[str, Stored]:
    """The stored ones among the documents *keys*, in two queries."""
    documents = Document.objects.in_bulk(keys)
    segments: dict[str, list[Segment]] = {}
    split = [key for key, document in documents.items() if document.segmented]
    for segment in Segment.objects.filter(document_id__in=split).order_by("document_id", "first") if split else ():
        segments.setdefault(segment.document_id, []).append(segment)
    return {key: Stored(document, segments.get(key, ())) for key, document in documents.items()}


def bounds(key: str) -> Iterator[tuple[bytes, bytes | None]]:
    """The ranges of keys that the segments of document *key* hold, in order: for documents too large for one look."""
    listed = Segment.objects.filter(document_id=key).order_by("first").values_list("first", flat=True)
    firsts = list(map(bytes, listed))
    return zip([b"", *firsts], [*firsts, None], strict=True)


def shell_matches(source: Source) -> bool:
    document = Document.objects.filter(key=source.key).defer("html", "json").first()
    return document is not None and _same_shell(document, source.shell())


def segment_matches(source: Source, first: bytes, before: bytes | None) -> bool:
    """Whether the segment that starts at *first* is stored and holds the items of *source* up to *before*."""
    if first:
        piece = Segment.objects.filter(document_id=source.key, first=first).first()
    else:
        body = Document.objects.filter(key=source.key).values_list("html", "json").first()
        piece = None if body is None else Segment(first=b"", html=body[0], json=body[1])
    return piece is not None and _same_items(piece, source.items(first, before))


def _same_shell(document: Document, shell: Shell) -> bool:
    found = (document.html_head, document.html_tail, document.json_head, document.json_tail)
    return (
        edition.is_of(current(), document.key, document.made)
        and document.serial == shell.serial
        and document.shared == shell.shared
        and [plain(piece) for piece in found] == [shell.html_head, shell.html_tail, shell.json_head, shell.json_tail]
    )


def _same_items(piece: Segment, items: Iterable[Item]) -> bool:
    rows = list(items)
    html, json = b"".join(item.html for item in rows), b",".join(item.json for item in rows if item.json)
    return plain(piece.html) == html and plain(piece.json) == json
