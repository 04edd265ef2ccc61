"""Reading a file at given offsets, through the one handle that the caller opened."""

import io
import os
from typing import BinaryIO, Protocol

CHUNK = 256 * 1024


class Source(Protocol):
    """Bytes of known length, readable anywhere. Reading moves no offset that anyone else sees."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer only where the file ends."""
        ...


class Descriptor:
    """An open file by its descriptor. ``pread`` leaves the offset alone, which other processes may share with us."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.size = os.fstat(fd).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        data = os.pread(self._fd, length, offset)
        while len(data) < length and (more := os.pread(self._fd, length - len(data), offset + len(data))):
            data += more
        return data


class Memory:
    """Bytes that are already here."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def from_file(file: BinaryIO) -> Source:
    """A source over an open file; one without a descriptor (``BytesIO``) is read once as a whole."""
    try:
        return Descriptor(file.fileno())
    except io.UnsupportedOperation:
        file.seek(0)
        return Memory(file.read())
