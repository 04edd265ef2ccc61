"""How documents are cut, deflated and joined.  Pure: no database, no Django.

Each piece is a raw deflate stream (RFC 1951) that ends in a full flush: byte-aligned, with no reference to what came
before.  Such pieces, one after another and closed by a final empty block, are one valid deflate stream; with ten bytes
before it and CRC and length behind, one gzip member (RFC 1952).  So a piece is compressed once, when it changes.
"""

import zlib
from collections.abc import Iterable, Sequence

EMPTY = b""
_SMALL = 4096
_TINY = 64
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_FINAL_BLOCK = b"\x03\x00"


def deflate(raw: bytes, level: int = 6) -> bytes:
    """*raw* as a piece: raw deflate, ended by a full flush.  Nothing becomes nothing."""
    if len(raw) <= _TINY:
        return _stored(raw) if raw else EMPTY
    window, memory = (-12, 5) if len(raw) < _SMALL else (-15, 8)  # small tables are set up three times as fast
    packer = zlib.compressobj(level, zlib.DEFLATED, window, memory)
    return packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH)


def _stored(raw: bytes) -> bytes:
    """*raw* as a stored block, which ends at a byte by itself: as short as a packed one, for a tenth of the time."""
    length = len(raw)
    return b"\x00" + length.to_bytes(2, "little") + (length ^ 0xFFFF).to_bytes(2, "little") + raw


def inflate(piece: bytes) -> bytes:
    """The raw bytes of a piece."""
    return zlib.decompressobj(-15).decompress(piece) if piece else EMPTY


SEPARATORS = {"html": EMPTY, "json": deflate(b",")}


def sequence(head: bytes, bodies: Iterable[bytes], tail: bytes, separator: bytes) -> list[bytes]:
    """The pieces of one document in order, with separators between the bodies that hold anything."""
    pieces = [head]
    for body in bodies:
        if body:
            if separator and len(pieces) > 1:
                pieces.append(separator)
            pieces.append(body)
    pieces.append(tail)
    return pieces


def join_identity(pieces: Sequence[bytes]) -> bytes:
    """The document's plain bytes."""
    return b"".join(map(inflate, pieces))


def join_gzip(pieces: Sequence[bytes], identity: bytes) -> bytes:
    """The document as one gzip member; *identity* gives checksum and length."""
    return gzip_member(pieces, zlib.crc32(identity), len(identity))


def gzip_member(pieces: Iterable[bytes], crc: int, length: int) -> bytes:
    trailer = crc.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join((_GZIP_HEAD, *pieces, _FINAL_BLOCK, trailer))
