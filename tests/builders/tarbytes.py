"""A tar written header by header, so that any field can lie (POSIX.1-2001 pax, GNU tar manual "Basic Tar Format")."""

import gzip
import io
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BLOCK = 512


@dataclass(frozen=True)
class TarMember:
    """One member: ``kind`` is the type flag, ``pax`` puts an extended header before it, ``size`` may lie."""

    name: str | bytes
    data: bytes = b""
    kind: bytes = b"0"
    link: str | bytes = b""
    size: int | bytes | None = None
    mode: int = 0o644
    pax: Mapping[str, str | bytes] = field(default_factory=dict)
    magic: bytes = b"ustar\x0000"
    checksum: int | None = None
    time: bytes = b"00000000000\0"


def tar_bytes(members: Iterable[TarMember], *, end: bytes = bytes(2 * BLOCK)) -> bytes:
    """The uncompressed archive, closed by ``end`` (two blocks of zeros unless told otherwise)."""
    return b"".join(member_bytes(member) for member in members) + end


def member_bytes(member: TarMember) -> bytes:
    before = b""
    if member.pax:
        records = b"".join(pax_record(key, value) for key, value in member.pax.items())
        before = header(TarMember("PaxHeaders/x", records, b"x")) + padded(records)
    return before + header(member) + padded(member.data)


def header(member: TarMember) -> bytes:
    name, link = raw(member.name), raw(member.link)
    prefix = b""
    if len(name) > 100:
        cut = name.rindex(b"/", 0, 156)
        prefix, name = name[:cut], name[cut + 1 :]
    size = len(member.data) if member.size is None else member.size
    size_field = size if isinstance(size, bytes) else b"%011o\0" % size
    parts = [name.ljust(100, b"\0"), b"%07o\0" % member.mode, b"0000000\0", b"0000000\0", size_field.ljust(12, b"\0")]
    parts += [member.time.ljust(12, b"\0"), b" " * 8, member.kind, link.ljust(100, b"\0"), member.magic.ljust(8, b"\0")]
    parts += [bytes(32), bytes(32), b"0000000\0", b"0000000\0", prefix.ljust(155, b"\0")]
    block = b"".join(parts).ljust(BLOCK, b"\0")
    total = sum(block) if member.checksum is None else member.checksum
    return block[:148] + b"%06o\0 " % total + block[156:]


def pax_record(key: str, value: str | bytes) -> bytes:
    """``"<length> <key>=<value>\\n"``, where the length counts itself."""
    body = b" " + key.encode() + b"=" + raw(value) + b"\n"
    length = len(body)
    while length != len(body) + len(str(length)):
        length = len(body) + len(str(length))
    return str(length).encode() + body


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % BLOCK)


def gz(data: bytes, *, level: int = 6) -> bytes:
    """One gzip member without a name or a time."""
    out = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=level, mtime=0) as packer:
        packer.write(data)
    return out.getvalue()


def gz_repeated(start: bytes, piece: bytes, times: int) -> bytes:
    """A gzip stream of ``start``, then one piece many times over: gigabytes in no time.

    Its checksum is wrong, so that only readers that stop early treat it as they would a right one.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    once = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + once * times + packer.flush()


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
