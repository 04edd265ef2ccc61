"""A zip written field by field, so that any field can lie (PKWARE APPNOTE 6.3.10)."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

UTF8_FLAG = 0x800
DESCRIPTOR_FLAG = 0x8
EPOCH_DATE = 0x21  # 1980-01-01


@dataclass(frozen=True, kw_only=True)
class Lies:
    """Values written instead of the true ones; ``None`` writes the truth."""

    size: int | None = None
    packed: int | None = None
    crc: int | None = None
    name: bytes | None = None
    flags: int | None = None
    method: int | None = None
    extra: bytes | None = None
    offset: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class Member:
    """One member. ``local`` and ``central`` lie in one of the two headers; ``listed`` and ``stored`` leave one out."""

    name: str | bytes
    data: bytes = b""
    method: int = 0
    flags: int | None = None
    extra: bytes = b""
    comment: bytes = b""
    local: Lies = Lies()
    central: Lies = Lies()
    listed: bool = True
    stored: bool = True
    packed: bytes | None = None
    descriptor: bytes = b""

    @property
    def raw_name(self) -> bytes:
        return self.name.encode() if isinstance(self.name, str) else self.name

    @property
    def flag_bits(self) -> int:
        return self.flags if self.flags is not None else (0 if self.raw_name.isascii() else UTF8_FLAG)

    @property
    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflate(self.data) if self.method == 8 else self.data


@dataclass(frozen=True, kw_only=True)
class End:
    """The end of central directory record; ``None`` writes the truth, ``zip64`` the 64-bit records too."""

    disk: int = 0
    count_here: int | None = None
    count: int | None = None
    size: int | None = None
    offset: int | None = None
    comment: bytes = b""
    zip64: bool = False
    zip64_size: int = 44
    zip64_offset: int | None = None
    locator: bool = True
    shorts_full: bool = True


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def zip_bytes(
    members: Sequence[Member], *, prefix: bytes = b"", gap: bytes = b"", suffix: bytes = b"", end: End | None = None
) -> bytes:
    """The archive: ``prefix``, local headers with their data, ``gap``, central directory, end records, ``suffix``.

    Offsets count from the first byte of the file, so that a prefix alone does not make them wrong.
    """
    out = bytearray(prefix)
    offsets = []
    for member in members:
        offsets.append(len(out))
        if member.stored:
            out += local_header(member) + member.body + member.descriptor
    out += gap
    start = len(out)
    listed = [(member, offset) for member, offset in zip(members, offsets, strict=True) if member.listed]
    out += b"".join(central_header(member, offset) for member, offset in listed)
    end = end or End(zip64=len(listed) > 0xFFFF)
    return bytes(out + end_records(end, count=len(listed), start=start, size=len(out) - start) + suffix)


def local_header(member: Member) -> bytes:
    lies = member.local
    name, extra = told(lies.name, member.raw_name), told(lies.extra, member.extra)
    return struct.pack("<4s5H3I2H", b"PK\3\4", *common(member, lies), len(name), len(extra)) + name + extra


def central_header(member: Member, offset: int) -> bytes:
    lies = member.central
    name, extra = told(lies.name, member.raw_name), told(lies.extra, member.extra)
    tail = (len(name), len(extra), len(member.comment), 0, 0, 0o644 << 16, told(lies.offset, offset))
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", 0x314, *common(member, lies), *tail) + name + extra + member.comment


def common(member: Member, lies: Lies) -> tuple[int, ...]:
    """What both headers say: version needed, flags, method, time, date, CRC, packed size, size."""
    sizes = (told(lies.packed, len(member.body)), told(lies.size, len(member.data)))
    flags, method = told(lies.flags, member.flag_bits), told(lies.method, member.method)
    return (told(lies.version, 20), flags, method, 0, EPOCH_DATE, told(lies.crc, zlib.crc32(member.data)), *sizes)


def end_records(end: End, *, count: int, start: int, size: int) -> bytes:
    here, total = told(end.count_here, count), told(end.count, count)
    size, start_said = told(end.size, size), told(end.offset, start)
    records = b""
    if end.zip64:
        fields = (end.zip64_size, 45, 45, end.disk, end.disk, here, total, size, start_said)
        records += struct.pack("<4sQ2H2I4Q", b"PK\6\6", *fields)
        if end.locator:
            records += struct.pack("<4sIQI", b"PK\6\7", 0, told(end.zip64_offset, start + size), 1)
        if end.shorts_full:
            here, total, size, start_said = 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    fields16 = (end.disk, end.disk, here, total, size, start_said, len(end.comment))
    return records + struct.pack("<4s4H2IH", b"PK\5\6", *fields16) + end.comment


def told(lie: T | None, truth: T) -> T:
    return truth if lie is None else lie
