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
from dataclasses import dataclass
from pathlib import Path

from packhouse.dataplane.http import Header
from packhouse.dataplane.negotiation import Encoding
from packhouse.dataplane.page import Variant, make_headers
from packhouse.documents.checksums import combine, shift_by
from packhouse.documents.segments import SEPARATORS, gzip_member, inflate
from packhouse.documents.store import Format, Reader

LARGE = 1024**2
_KEPT_FILES = 4


@dataclass(slots=True)
class _Segment:
    """One deflated piece with the separator before it, its checksum, its length, and how that length shifts others'."""

    pieces: tuple[bytes, ...]
    serial: int
    crc: int
    length: int
    shift: int


def _segment(piece: bytes, serial: int, separator: bytes, mark: bytes) -> _Segment:
    raw = mark + inflate(piece)
    pieces = (separator, piece) if separator else (piece,)
    return _Segment(pieces, serial, zlib.crc32(raw), len(raw), shift_by(len(raw)))


class Assembly:
    """The segments of one document in one format, brought up to date from the database and joined."""

    def __init__(self, reader: Reader, key: str, fmt: Format) -> None:
        self._reader = reader
        self._key = key
        self._fmt: Format = fmt
        self._segments: dict[bytes, _Segment] = {}
        self.serial = -1
        self._ends: list[_Segment] = []

    def update(self) -> bool:
        """Read what has changed.  False when the document is gone."""
        outline = self._reader.outline(self._key, self._fmt, self.serial)
        if outline is None:
            return False
        separator, mark = SEPARATORS[self._fmt], b"," if self._fmt == "json" else b""
        fresh = {first: _segment(piece, serial, separator, mark) for first, serial, piece in outline.changed}
        self._segments = {first: fresh.get(first) or self._segments[first] for first in outline.firsts}
        self._ends = [_segment(outline.head, 0, b"", b""), _segment(outline.first, 0, b"", b"")]
        if not outline.first and outline.firsts:
            self._without_separator(outline.firsts[0])
        self._tail = _segment(outline.tail, 0, b"", b"")
        self.serial = outline.serial
        return True

    def _without_separator(self, first: bytes) -> None:
        """Let segment *first* open the document: the one before it has become empty."""
        segment = self._segments[first]
        self._segments[first] = _segment(segment.pieces[-1], segment.serial, b"", b"")

    def write(self, path: Path) -> str:
        """Write the document as one gzip member to *path*; returns a digest of its content."""
        crc = length = 0
        parts: list[bytes] = []
        digest = hashlib.blake2b(digest_size=16)
        for segment in (*self._ends, *self._segments.values(), self._tail):
            crc = combine(crc, segment.crc, segment.shift)
            length += segment.length
            parts.extend(segment.pieces)
            digest.update(segment.crc.to_bytes(4, "big") + segment.length.to_bytes(8, "big"))
        digest.update(self.serial.to_bytes(8, "big"))
        path.write_bytes(gzip_member(parts, crc, length))
        return digest.hexdigest()


class LargePage:
    """A document served from a file of this process.  ``refresh`` runs in a thread, one at a time."""

    def __init__(self, assembly: Assembly, folder: Path) -> None:
        self._assembly = assembly
        self._folder = folder
        self._written: list[Path] = []
        self._variants: dict[tuple[str, str], Variant] = {}
        self._plain: Path | None = None
        self.serial = 0
        self.size = 0
        self.digest = ""
        folder.mkdir(parents=True, exist_ok=True)

    def refresh(self) -> bool:
        """Bring the file up to date; False when there is no such document any more."""
        if not self._assembly.update():
            return False
        path = self._folder / f"{os.getpid()}-{id(self):x}-{os.urandom(4).hex()}.gz"
        self.digest = self._assembly.write(path)
        self.serial = self._assembly.serial
        self.size = path.stat().st_size
        self._written.append(path)
        self._plain = None
        self._variants = {}
        for old in self._written[:-_KEPT_FILES]:
            old.unlink(missing_ok=True)
            old.with_suffix("").unlink(missing_ok=True)
        del self._written[:-_KEPT_FILES]
        return True

    def variant(self, content_type: str, encoding: Encoding, shared: Callable[[], list[Header]]) -> Variant:
        """The representation as *content_type*; packed unless the client refuses gzip."""
        key = (content_type, "identity" if encoding == "identity" else "gzip")
        found = self._variants.get(key)
        if found is None:
            path = self._unpacked() if key[1] == "identity" else self._written[-1]
            size = path.stat().st_size
            etag = f'"{self.digest}"' if key[1] == "identity" else f'"{self.digest}-gzip"'
            headers, unmodified = make_headers(content_type, key[1], etag, self.serial, size, shared())
            found = self._variants[key] = Variant(etag, headers, unmodified, b"", path, size)
        return found

    def _unpacked(self) -> Path:
        """The plain file, made when somebody first asks for it; nearly every client takes gzip."""
        if self._plain is None:
            packed = self._written[-1]
            plain = packed.with_suffix("")
            with gzip.open(packed) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target, 1024**2)
            self._plain = plain
        return self._plain

    def close(self) -> None:
        for path in self._written:
            path.unlink(missing_ok=True)
            path.with_suffix("").unlink(missing_ok=True)
