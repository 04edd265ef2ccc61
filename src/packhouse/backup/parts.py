"""Streams as parts: compressed, cut into pieces, first on this disk, then in the target."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import zstandard

from packhouse.backup.manifest import BackupError, Part, Piece
from packhouse.files import BlobStore, StoreError, key_for

PIECE = 1024**3
_CHUNK = 64 * 1024
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Packed:
    """A part that is not stored yet: its pieces are files on this disk."""

    name: str
    files: tuple[Path, ...]
    rows: int = 0
    columns: tuple[str, ...] = ()


def pack(name: str, chunks: Iterable[bytes], folder: Path) -> tuple[Path, ...]:
    """Compress *chunks* into files of at most ``PIECE`` bytes, and a little, in *folder*."""
    packer = zstandard.ZstdCompressor(level=_LEVEL).compressobj()
    files = [_piece(folder, name, 0)]
    out = files[0].open("wb")
    try:
        for chunk in chunks:
            out.write(packer.compress(chunk))
            if out.tell() >= PIECE:
                out.close()
                files.append(_piece(folder, name, len(files)))
                out = files[-1].open("wb")
        out.write(packer.flush())
    finally:
        out.close()
    return tuple(files)


def _piece(folder: Path, name: str, number: int) -> Path:
    return folder / f"{name}.{number:04}.zst"


def store(packed: Packed, target: BlobStore) -> Part:
    """Put the pieces of *packed* into *target*, durably."""
    return Part(packed.name, tuple(_put(path, target) for path in packed.files), packed.rows, packed.columns)


def _put(path: Path, target: BlobStore) -> Piece:
    sha256, blake2, size = hashlib.sha256(), hashlib.blake2b(digest_size=32), 0
    with path.open("rb") as piece:
        for chunk in _chunks(piece):
            size += len(chunk)
            sha256.update(chunk)
            blake2.update(chunk)
        key = key_for(blake2.hexdigest(), path.name)
        target.put(key, piece, size=size, sha256_hex=sha256.hexdigest(), blake2_hex=blake2.hexdigest())
    return Piece(key, size, sha256.hexdigest())


def read(part: Part, target: BlobStore) -> Iterator[bytes]:
    """The stream of *part* again.

    Raises ``BackupError`` where a piece is missing or is not what was stored; what came before it was right.
    """
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    for chunk in _stored_chunks(part.pieces, target):
        try:
            yield unpacker.decompress(chunk)
        except zstandard.ZstdError as error:
            raise BackupError(f"{part.name} cannot be unpacked: {error}") from error


def lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a stream, without their ends."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _stored_chunks(pieces: Sequence[Piece], target: BlobStore) -> Iterator[bytes]:
    for piece in pieces:
        digest = hashlib.sha256()
        try:
            with target.open(piece.key) as stored:
                for chunk in _chunks(stored):
                    digest.update(chunk)
                    yield chunk
        except StoreError as error:
            raise BackupError(str(error)) from error
        if digest.hexdigest() != piece.sha256:
            raise BackupError(f"{piece.key} is not what was stored")


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
