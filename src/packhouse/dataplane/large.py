"""The simple index of a large site: too long to keep as bytes or to build for a request.

Its segments stay in memory as the writer deflated them, with their checksums.  After a change only the segments that
were rewritten are read again; they are joined into one gzip member in a file, which the server sends without touching
Python.  Until the new file is there (some tens of milliseconds for a million projects) the old one is served.
"""

import gzip
import hashlib
import os
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from packhouse.base import running
from packhouse.dataplane.http import Header
from packhouse.dataplane.negotiation import Encoding
from packhouse.dataplane.page import Variant, make_headers
from packhouse.documents.checksums import combine, shift_by
from packhouse.documents.segments import SEPARATORS, gzip_member, inflate
from packhouse.documents.store import Format, Outline, Reader

LARGE = 1024**2
_RUN = 64
"""Segments whose checksums are kept together."""
_KEPT_FILES = 4
_REST = 3.0
"""A page rests so many times as long as it took to be joined, but not longer than this, in seconds."""
_LONGEST_REST = 0.5


@dataclass(eq=False, slots=True)
class _Segment:
    """One deflated piece with the separator before it, its checksum, its length, and how that length shifts others'."""

    pieces: tuple[bytes, ...]
    crc: int
    length: int
    shift: int


def _segment(piece: bytes, separator: bytes = b"", mark: bytes = b"") -> _Segment:
    raw = mark + inflate(piece)
    pieces = (separator, piece) if separator else (piece,)
    return _Segment(pieces, zlib.crc32(raw), len(raw), shift_by(len(raw)))


@dataclass(eq=False, slots=True)
class _Run:
    """Some segments in a row, what they come to, and a digest of that."""

    segments: list[_Segment]
    crc: int
    length: int
    shift: int
    digest: bytes


def _run(segments: list[_Segment]) -> _Run:
    crc = length = 0
    digest = hashlib.blake2b(digest_size=16)
    for segment in segments:
        crc = combine(crc, segment.crc, segment.shift)
        length += segment.length
        digest.update(segment.crc.to_bytes(4, "big") + segment.length.to_bytes(8, "big"))
    return _Run(segments, crc, length, shift_by(length), digest.digest())


class Assembly:
    """The segments of one document in one format, brought up to date from the database and joined.

    Checksums of runs of segments are kept, so that a changed segment costs a run's and not the document's.
    """

    def __init__(self, reader: Reader, key: str, fmt: Format) -> None:
        self._reader = reader
        self._key = key
        self._fmt: Format = fmt
        self._segments: dict[bytes, _Segment] = {}
        self._runs: list[_Run] = []
        self.serial = -1

    def update(self) -> bool:
        """Read what has changed.  False when the document is gone."""
        outline = self._reader.outline(self._key, self._fmt, self.serial, self._segments.keys())
        if outline is None:
            return False
        fresh = {first: self._read(first, piece) for first, piece in outline.changed}
        if outline.firsts is None:
            self._segments.update(fresh)
        else:
            self._segments = {first: fresh.get(first) or self._segments[first] for first in outline.firsts}
        self._arrange(outline)
        self.serial = outline.serial
        return True

    def _read(self, first: bytes, piece: bytes) -> _Segment:
        known = self._segments.get(first)
        if known is not None and known.pieces[-1] == piece:
            return known
        return _segment(piece, SEPARATORS[self._fmt], b"," if self._fmt == "json" else b"")

    def _arrange(self, outline: Outline) -> None:
        """Put all segments into runs; those whose segments are the same in the same order stay as they are."""
        others = list(self._segments.values())
        if others and not outline.first:
            others[0] = _segment(others[0].pieces[-1])  # it opens the list: the segment before it has become empty
        groups = [[_segment(outline.head), _segment(outline.first)]]
        groups += [others[start : start + _RUN] for start in range(0, len(others), _RUN)]
        groups.append([_segment(outline.tail)])
        known = {id(run.segments[0]): run for run in self._runs}
        self._runs = [_same(known.get(id(group[0])), group) or _run(group) for group in groups]

    def write(self, path: Path) -> str:
        """Write the document as one gzip member to *path*; returns a digest of its content."""
        crc = length = 0
        parts: list[bytes] = []
        digest = hashlib.blake2b(digest_size=16)
        for run in self._runs:
            crc = combine(crc, run.crc, run.shift)
            length += run.length
            digest.update(run.digest)
            for segment in run.segments:
                parts.extend(segment.pieces)
        digest.update(self.serial.to_bytes(8, "big"))
        path.write_bytes(gzip_member(parts, crc, length))
        return digest.hexdigest()


def _same(run: _Run | None, segments: list[_Segment]) -> _Run | None:
    """*run*, if it consists of these very *segments*."""
    return run if run is not None and run.segments == segments else None


@dataclass(slots=True)
class _Edition:
    """The document at one moment: its packed file, the plain one once it was asked for, and what is sent with them.

    One is replaced by the next in a single assignment, since ``refresh`` runs beside the event loop: nothing of an old
    one can be found under the validators of a new one.
    """

    packed: Path
    digest: str
    serial: int
    plain: Path | None = None
    variants: dict[tuple[str, str], Variant] = field(default_factory=dict)

    def file(self, coding: str) -> Path:
        """The file in *coding*; the plain one is made when somebody first asks for it: nearly everybody takes gzip."""
        if coding == "gzip":
            return self.packed
        if self.plain is None:
            self.plain = _unpack(self.packed)
        return self.plain

    def remove(self) -> None:
        for path in (self.packed, self.plain):
            if path is not None:
                path.unlink(missing_ok=True)


def _unpack(packed: Path) -> Path:
    plain = packed.with_suffix("")
    with gzip.open(packed) as source, plain.open("wb") as target:
        shutil.copyfileobj(source, target, 1024**2)
    return plain


class LargePage:
    """A document served from a file of this process.  ``refresh`` runs in a thread, one at a time."""

    def __init__(self, assembly: Assembly, folder: Path) -> None:
        self._assembly = assembly
        self._folder = folder
        self._editions: tuple[_Edition, ...] = ()
        self._not_before = 0.0
        folder.mkdir(parents=True, exist_ok=True)

    def rest(self) -> float:
        """Seconds to wait before the next ``refresh``, so that joining takes a fraction of a core at most."""
        return max(0.0, self._not_before - monotonic())

    def refresh(self) -> bool:
        """Bring the file up to date; False when there is no such document any more."""
        began = monotonic()
        try:
            return self._refresh()
        finally:
            ended = monotonic()
            self._not_before = ended + min(_REST * (ended - began), _LONGEST_REST)

    def _refresh(self) -> bool:
        if not self._assembly.update():
            return False
        packed = self._folder / f"{os.getpid()}-{id(self):x}-{os.urandom(4).hex()}.gz"
        edition = _Edition(packed, self._assembly.write(packed), self._assembly.serial)
        if self._editions and self._editions[-1].plain is not None:
            edition.plain = _unpack(packed)  # here and not on the event loop: it will be asked for again
        for old in self._editions[: 1 - _KEPT_FILES]:
            old.remove()
        self._editions = (*self._editions[1 - _KEPT_FILES :], edition)
        return True

    def variant(self, content_type: str, encoding: Encoding, shared: Callable[[], list[Header]]) -> Variant:
        """The representation as *content_type*; packed unless the client refuses gzip."""
        edition = self._editions[-1]
        coding = "identity" if encoding == "identity" else "gzip"
        found = edition.variants.get((content_type, coding))
        if found is None:
            path = edition.file(coding)
            size = path.stat().st_size
            etag = f'"{edition.digest}"' if coding == "identity" else f'"{edition.digest}-gzip"'
            headers, unmodified = make_headers(content_type, coding, etag, edition.serial, size, shared())
            found = edition.variants[content_type, coding] = Variant(etag, headers, unmodified, b"", path, size)
        return found

    def close(self) -> None:
        for edition in self._editions:
            edition.remove()


def sweep(folder: Path) -> None:
    """Remove the files in *folder* whose process has ended."""
    for path in folder.glob("*-*"):
        owner = path.name.partition("-")[0]
        if owner.isdigit() and not running.is_alive(int(owner)):
            path.unlink(missing_ok=True)
