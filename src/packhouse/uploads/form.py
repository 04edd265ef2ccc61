"""The form of an upload (RFC 7578), read in one pass, in bounded memory.

The front door hands over a request body that lies on disk already.  Text fields are kept, the ``content`` part streams
to an unlinked file while its digests are computed; nothing is ever opened by name.  What breaks the form is refused
before anything is asked of the database.
"""

import contextlib
import errno
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast
from urllib.parse import parse_qsl

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from packhouse.uploads.reasons import Rejected

LONG_TEXT_SIZE = 5 * 1024**2
LONG_TEXTS = frozenset({"description"})
HEADER_SIZE = 4096
CHUNK = 256 * 1024
NO_ROOM = "There is no room for this file at the moment. Please try again later."
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

FILES = frozenset({"content", "gpg_signature"})
SINGLE = frozenset(
    """
    :action protocol_version content name version metadata_version filetype pyversion md5_digest sha256_digest
    blake2_256_digest comment attestations gpg_signature summary description keywords home_page author author_email
    license download_url maintainer maintainer_email requires_python description_content_type license_expression
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Content:
    """The uploaded file: where it lies, its size and digests (lower-case hex), and what the client called it."""

    file: BinaryIO
    filename: str
    content_type: str
    size: int
    md5: str
    sha256: str
    blake2_256: str


@dataclass(frozen=True, slots=True)
class Form:
    """The text fields, in the order and number in which they came, and the file, if one came.

    A context manager: leaving it closes the file, and with it frees its space.
    """

    fields: Mapping[str, tuple[str, ...]]
    content: Content | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.content is not None:
            self.content.file.close()

    def text(self, name: str) -> str:
        """The value of a field that comes once, without surrounding blanks; empty when it was not sent."""
        return self.fields.get(name, ("",))[0].strip()


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most *parts* that a form may have, and bytes that one of its text fields may have."""

    parts: int = 5000
    text: int = 1024**2


def read_form(body: BinaryIO, content_type: str, length: int, *, spool: Path, bounds: Bounds = Bounds()) -> Form:
    """Read the form in *body* (*length* bytes), as *content_type* says; raise ``Rejected`` when it is not one.

    *spool* is the folder on whose disk the file part is kept.  A NUL in a text becomes visible (``\\x00``), because no
    database holds one.
    """
    reader = _Reader(spool, bounds)
    try:
        reader.read(body, content_type, length)
    except (MultipartError, ValueError) as error:
        reader.close()
        raise _invalid(str(error)) from error
    except OSError as error:
        reader.close()
        if error.errno in FULL:
            raise Rejected("storage-full", NO_ROOM) from error
        raise
    except BaseException:
        reader.close()
        raise
    return reader.form()


def _invalid(why: str) -> Rejected:
    return Rejected("invalid-form-data", f"Invalid Form Data. {why}".rstrip())


@dataclass(slots=True)
class _Reader:
    spool: Path
    bounds: Bounds
    fields: dict[str, list[str]] = field(default_factory=dict)
    content: Content | None = None
    opened: list[BinaryIO] = field(default_factory=list)
    room: int = LONG_TEXT_SIZE

    def form(self) -> Form:
        return Form({name: tuple(values) for name, values in self.fields.items()}, self.content)

    def close(self) -> None:
        for file in self.opened:
            with contextlib.suppress(OSError):  # what a full disk did not take
                file.close()

    def read(self, body: BinaryIO, content_type: str, length: int) -> None:
        kind, options = parse_options_header(content_type)
        if kind == "multipart/form-data":
            self._multipart(body, options.get("boundary", ""), length)
        elif kind == "application/x-www-form-urlencoded":
            self._urlencoded(body, length)
        else:
            raise _invalid("Send multipart/form-data.")

    def _multipart(self, body: BinaryIO, boundary: str, length: int) -> None:
        parser = PushMultipartParser(
            boundary,
            content_length=length,
            max_header_size=HEADER_SIZE,
            max_segment_count=self.bounds.parts,
            strict=True,
        )
        events = parser.parse_blocking(body.read, CHUNK)
        for segment in events:
            if isinstance(segment, MultipartSegment):
                self._part(segment, iter(lambda: next(events), None))

    def _urlencoded(self, body: BinaryIO, length: int) -> None:
        if length > self.room:
            raise _invalid("The form is too long.")
        text = body.read(length).decode("ascii")
        for name, value in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=self.bounds.parts):
            self._keep(name, value)

    def _part(self, segment: MultipartSegment, pieces: Iterator[bytes]) -> None:
        name = segment.name or ""
        if name not in FILES and segment.filename is not None:
            raise Rejected("field-is-a-file", f"{name}: must be text, not a file.", field=name)
        if name in FILES and segment.filename is not None:
            self._once(name)
            if name == "content":
                self.content = self._spooled(segment, pieces)
            else:
                _skip(pieces)
            self.fields[name] = [""]
        else:
            self._keep(name, self._bounded(name, pieces).decode("utf-8"))

    def _bounded(self, name: str, pieces: Iterator[bytes]) -> bytes:
        """One text field's bytes; no field and no sum of fields may outgrow its limit."""
        limit = LONG_TEXT_SIZE if name in LONG_TEXTS else self.bounds.text
        value = bytearray()
        for piece in pieces:
            value += piece
            if len(value) > limit or len(value) > self.room:
                raise _invalid(f"The field {name} is too long.")
        self.room -= len(value)
        return bytes(value)

    def _keep(self, name: str, value: str) -> None:
        self._once(name)
        self.fields.setdefault(name, []).append(value.replace("\x00", "\\x00"))

    def _once(self, name: str) -> None:
        if name in SINGLE and name in self.fields:
            raise Rejected("duplicate-field", f"The field {name} was sent more than once.", field=name)

    def _spooled(self, segment: MultipartSegment, pieces: Iterator[bytes]) -> Content:
        file = cast("BinaryIO", tempfile.TemporaryFile(dir=self.spool))  # noqa: SIM115 - lives as long as the form
        self.opened.append(file)
        digests = (hashlib.md5(usedforsecurity=False), hashlib.sha256(), hashlib.blake2b(digest_size=32))
        updates: list[Callable[[bytes], object]] = [file.write, *(digest.update for digest in digests)]
        for piece in pieces:
            for update in updates:
                update(piece)
        size = file.tell()
        file.seek(0)  # also writes what is still in memory
        md5, sha256, blake2 = (digest.hexdigest() for digest in digests)
        return Content(file, segment.filename or "", segment.content_type or "", size, md5, sha256, blake2)


def _skip(pieces: Iterator[bytes]) -> None:
    for _ in pieces:
        pass
