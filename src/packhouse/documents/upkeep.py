"""Many documents at once, and whether stored documents are what their sources say.

Writing functions run in the writer's transaction, under the serial lock, as those of ``actions`` do.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from packhouse.base.bulk import insert
from packhouse.documents.actions import Item, Shell, Source, as_body, cut, mark_changed
from packhouse.documents.models import Document, Segment
from packhouse.documents.segments import deflate, inflate
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


def rebuild_many(sources: Iterable[Source], *, are_new: bool = False) -> int:
    """Write the whole documents of *sources*, a few queries for hundreds of them; returns how many there were.

    Sources are taken one by one and written in batches of bounded size.  Of documents that *are new*, which nobody can
    have read, there must be none yet; readers are then told only that anything may have changed.
    """
    count, size, batch = 0, 0, _Batch()
    for source in sources:
        size += batch.add(source)
        count += 1
        if size > _BYTES_AT_ONCE or len(batch.documents) >= _KEYS_AT_ONCE:
            batch.write(are_new=are_new)
            size, batch = 0, _Batch()
    batch.write(are_new=are_new)
    return count


@dataclass(slots=True)
class _Batch:
    documents: list[Document] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)

    def add(self, source: Source) -> int:
        """Take the rows of one document in; returns their size in bytes."""
        shell = source.shell()
        first, *rest = list(cut(source.items(b"", None), source.segment_weight)) or [[]]
        document = Document(
            key=source.key,
            serial=shell.serial,
            shared=shell.shared,
            segmented=bool(rest),
            html_head=deflate(shell.html_head),
            html=as_body(first, "html"),
            html_tail=deflate(shell.html_tail),
            json_head=deflate(shell.json_head),
            json=as_body(first, "json"),
            json_tail=deflate(shell.json_tail),
        )
        segments = [
            Segment(
                document=document,
                first=chunk[0].key,
                serial=shell.serial,
                html=as_body(chunk, "html"),
                json=as_body(chunk, "json"),
            )
            for chunk in rest
        ]
        self.documents.append(document)
        self.segments.extend(segments)
        own = len(document.html_head) + len(document.html) + len(document.json_head) + len(document.json)
        return own + len(document.json_tail) + sum(len(segment.html) + len(segment.json) for segment in segments)

    def write(self, *, are_new: bool) -> None:
        if not self.documents:
            return
        if are_new:
            self._insert()
        else:
            self._replace()

    def _insert(self) -> None:
        insert(Document, ("key", *_FIELDS), ([row.key, *_values(row)] for row in self.documents))
        pieces = ([row.document_id, row.first, row.serial, row.html, row.json] for row in self.segments)
        insert(Segment, ("document", "first", "serial", "html", "json"), pieces)
        mark_changed(EVERYTHING)

    def _replace(self) -> None:
        keys = [document.key for document in self.documents]
        Segment.objects.filter(document_id__in=keys).delete()
        Document.objects.bulk_create(
            self.documents, batch_size=50, update_conflicts=True, unique_fields=["key"], update_fields=_FIELDS
        )
        Segment.objects.bulk_create(self.segments, batch_size=200)
        mark_changed(*keys)


def _values(document: Document) -> list[object]:
    return [getattr(document, name) for name in _FIELDS]


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
        document.serial == shell.serial
        and document.shared == shell.shared
        and [_plain(piece) for piece in found] == [shell.html_head, shell.html_tail, shell.json_head, shell.json_tail]
    )


def _same_items(piece: Segment, items: Iterable[Item]) -> bool:
    rows = list(items)
    html, json = b"".join(item.html for item in rows), b",".join(item.json for item in rows if item.json)
    return _plain(piece.html) == html and _plain(piece.json) == json


def _plain(piece: bytes | memoryview) -> bytes | None:
    """The raw bytes of a stored piece, None when it is damaged."""
    try:
        return inflate(bytes(piece))
    except zlib.error:
        return None
