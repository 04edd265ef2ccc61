"""A document in memory, with everything prepared that a response needs."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import zstandard

from packhouse.dataplane.http import Header
from packhouse.dataplane.negotiation import Encoding
from packhouse.documents.segments import join_gzip, join_identity
from packhouse.documents.store import Format, Pieces
from packhouse.server import wire
from packhouse.server.sending import Sealed, seal

_ZSTD_UP_TO = 16 * 1024**2
_RECOMPRESS_UP_TO = 32 * 1024


@dataclass(slots=True)
class Variant:
    """One representation: its bytes (or the file that holds them) and complete headers, with and without a body."""

    etag: str
    headers: list[Header]
    unmodified: list[Header]
    body: bytes | Sealed
    file: Path | None = None
    size: int = 0
    _whole: bytes = b""
    _short: bytes = b""

    def head(self, status: int) -> bytes:
        """The head of a 200 or a 304 as it travels; made once."""
        if status == 200:
            self._whole = self._whole or wire.head(200, self.headers)
            return self._whole
        self._short = self._short or wire.head(304, self.unmodified)
        return self._short


class Page:
    """One document in one format.  Encodings are made when first asked for and kept; the pieces are then let go.

    Nearly all clients take gzip: of a small page, the plain bytes are let go as well, and unpacked for whoever asks.
    """

    __slots__ = ("_gzip", "_identity", "_length", "_pieces", "_variants", "_zstd", "digest", "key", "serial", "size")

    def __init__(self, loaded: Pieces, key: tuple[str, Format]) -> None:
        self.key = key
        self.serial = None if loaded.serial < 0 else loaded.serial
        identity = join_identity(loaded.pieces)
        self._identity: bytes | None = identity
        self._length = len(identity)
        self._pieces: list[bytes] | None = loaded.pieces
        self._gzip: bytes | Sealed | None = None
        self._zstd: bytes | Sealed | None = None
        self._variants: dict[tuple[str, str], Variant] = {}
        self.digest = hashlib.blake2b(identity, digest_size=16).hexdigest()
        self.size = self._length * (1 if self._is_small else 2) + 3000

    @property
    def _is_small(self) -> bool:
        return self._length <= _RECOMPRESS_UP_TO

    @property
    def identity(self) -> bytes:
        if self._identity is not None:
            return self._identity
        import gzip  # noqa: PLC0415

        assert self._gzip is not None
        return gzip.decompress(self._gzip[:])

    def encoded(self, encoding: Encoding) -> bytes | Sealed:
        """The bytes in *encoding*, sealed if long.  Gzip joins what the writer deflated; small pages pack better whole.

        Without encoding nearly nobody asks for long ones.
        """
        if encoding == "identity":
            return self.identity
        if encoding == "gzip":
            if self._gzip is None:
                self._gzip = seal(self._make_gzip())
                if self._is_small:
                    self._identity = None
            return self._gzip
        if self._zstd is None:
            level = 9 if self._is_small else 3
            self._zstd = seal(zstandard.ZstdCompressor(level=level).compress(self.identity))
        return self._zstd

    def _make_gzip(self) -> bytes:
        if self._is_small or self._pieces is None:
            import gzip  # noqa: PLC0415

            made = gzip.compress(self.identity, 6, mtime=0)
        else:
            made = join_gzip(self._pieces, self.identity)
        self._pieces = None
        return made

    def variant(self, content_type: str, encoding: Encoding, shared: Callable[[], list[Header]]) -> Variant:
        """The representation of this page as *content_type* in *encoding*; *shared* makes headers of every answer."""
        key = (content_type, encoding)
        found = self._variants.get(key)
        if found is None:
            found = self._variants[key] = self._make_variant(content_type, encoding, shared)
        return found

    def _make_variant(self, content_type: str, encoding: Encoding, shared: Callable[[], list[Header]]) -> Variant:
        body = self.encoded(encoding)
        if encoding != "identity" and len(body) >= self._length:
            return self.variant(content_type, "identity", shared)
        etag = f'"{self.digest}"' if encoding == "identity" else f'"{self.digest}-{encoding}"'
        headers, unmodified = make_headers(content_type, encoding, etag, self.serial, len(body), shared())
        return Variant(etag, headers, unmodified, body, size=len(body))


def make_headers(
    content_type: str, encoding: str, etag: str, serial: int | None, size: int, shared: list[Header]
) -> tuple[list[Header], list[Header]]:
    """Headers of a 200 and of a 304."""
    last = [] if serial is None else [("x-pypi-last-serial", str(serial))]
    unmodified = [("etag", etag), *last, *shared]
    headers = [("content-type", content_type), *unmodified, ("content-length", str(size))]
    if encoding != "identity":
        headers.append(("content-encoding", encoding))
    return headers, unmodified
