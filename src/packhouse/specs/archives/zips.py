"""Zip archives that every reader reads alike (PKWARE APPNOTE 6.3.10, Info-ZIP extra fields).

A zip tells its contents twice, in local headers and in the central directory, and readers believe one or the other.
Here both must say the same: the members with their local headers fill the file from its first byte to the central
directory, without gap or overlap; the directory ends where the end records begin, and those end with the file.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from packhouse.specs.archives.limits import Limits
from packhouse.specs.archives.paths import Kind, Tree, decoded, safe_path
from packhouse.specs.archives.source import CHUNK, Source
from packhouse.specs.errors import Refused

REASONS = {
    "zip-not-a-zip": "The file has no end of central directory record, or does not begin with a member.",
    "zip-trailing-data": "Bytes follow the end of the archive.",
    "zip-end-mismatch": "The end record does not describe the directory before it, or names other disks.",
    "zip-zip64-invalid": "A ZIP64 record or extra field is malformed, out of place, or contradicts the rest.",
    "zip-directory-invalid": "The central directory holds something that is no entry, or ends within one.",
    "zip-header-mismatch": "A member's local header and its central directory entry differ.",
    "zip-gap": "Members overlap, or bytes between them belong to none.",
    "zip-hidden-record": "A zip record's signature hides in an extra field or in the archive's comment.",
    "zip-member-comment": "A central directory entry has a comment.",
    "zip-data-descriptor": "A member's sizes follow its data (streamed zip) instead of standing in its header.",
    "zip-flags": "A member is encrypted or uses another feature that readers treat differently.",
    "zip-method": "A member is packed by another method than 'stored' or 'deflate'.",
    "zip-extra-invalid": "Extra fields are malformed, given twice, or give the member another name.",
    "zip-name-encoding": "A name outside ASCII lacks the UTF-8 flag.",
    "zip-kind": "A member is neither a regular file nor a folder.",
    "zip-size-mismatch": "A member's real size differs from the size that its headers state.",
    "zip-crc-mismatch": "A member's contents differ from their checksum.",
    "zip-corrupt": "A member's data cannot be unpacked.",
}

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
END64, LOCATOR64 = b"PK\x06\x06", b"PK\x06\x07"
SIGNATURES = (LOCAL, CENTRAL, END, END64, LOCATOR64)
LOCAL_HEADER = struct.Struct("<4s5H3I2H")
CENTRAL_HEADER = struct.Struct("<4s6H3I5H2I")
END_RECORD = struct.Struct("<4s4H2IH")
END64_RECORD = struct.Struct("<4sQ2H2I4Q")
LOCATOR64_RECORD = struct.Struct("<4sIQI")
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
MAX_COMMENT = 0xFFFF
MAX_DIRECTORY = 64 * 1024 * 1024
STORED, DEFLATED = 0, 8
DESCRIPTOR_FLAG, UTF8_FLAG = 0x8, 0x800
KNOWN_FLAGS = 0x6 | UTF8_FLAG  # bits 1 and 2 only tell how hard the packer tried
ZIP64_VERSION = 45  # what stored, deflated and large members need
ZIP64_EXTRA, UNICODE_PATH_EXTRA = 0x0001, 0x7075
UNIX = 3
POSIX_KINDS = {0, stat.S_IFREG, stat.S_IFDIR}


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member as both headers tell it. ``packed`` and ``size`` are bytes; ``start`` is where its header stands."""

    path: str
    kind: Kind
    method: int
    crc: int
    packed: int
    size: int
    start: int
    data: int = -1


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the central directory stands and how many entries it has."""

    start: int
    size: int
    count: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a local and a central header both tell, as written (sizes after ZIP64)."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int


def read_members(source: Source, limits: Limits) -> list[ZipMember]:
    """Every member in the order of its data, after all checks that need no unpacking. Raises ``Refused``."""
    directory = find_directory(source)
    if directory.count > limits.members:
        raise Refused(
            "archive-too-many-members", f"The archive has {directory.count} members ({limits.members} allowed)."
        )
    entries = sorted(central_entries(source, directory), key=lambda entry: entry[1].start)
    members = list(located(source, entries, directory.start))
    total = sum(member.size for member in members)
    if total > limits.allowed_bytes(source.size):
        raise Refused("archive-bomb", f"The archive unpacks from {source.size} to {total} bytes.")
    tree = Tree()
    for member in members:
        tree.add(member.path, member.kind)
    tree.check()
    return members


def find_directory(source: Source) -> Directory:
    """The central directory, from end records that agree with each other and with the end of the file."""
    tail = source.read_at(max(0, source.size - MAX_COMMENT - END_RECORD.size), MAX_COMMENT + END_RECORD.size)
    at = tail.rfind(END)
    if at < 0 or len(tail) - at < END_RECORD.size or source.read_at(0, 4) != LOCAL:
        raise Refused("zip-not-a-zip", "The file is not a zip archive.")
    _, disk, first_disk, here, count, size, start, comment = END_RECORD.unpack_from(tail, at)
    if at + END_RECORD.size + comment != len(tail):
        raise Refused("zip-trailing-data", "Bytes follow the end of the zip archive.")
    check_hidden(tail[at + END_RECORD.size :], "the archive's comment")
    end = source.size - len(tail) + at
    locator = source.read_at(max(0, end - LOCATOR64_RECORD.size), LOCATOR64_RECORD.size)
    if locator.startswith(LOCATOR64):
        short = (disk, first_disk, here, count, size, start)
        return directory64(source, LOCATOR64_RECORD.unpack(locator), end - LOCATOR64_RECORD.size, short)
    return agreed(end, (disk, first_disk, here, count, size, start))


def directory64(source: Source, locator: tuple[int, ...], locator_at: int, short: tuple[int, ...]) -> Directory:
    """The directory as the ZIP64 end record tells it; the 32-bit record says the same or is filled with ones."""
    at = locator_at - END64_RECORD.size
    record = source.read_at(max(0, at), END64_RECORD.size)
    _, disk, said_at, disks = locator
    if not record.startswith(END64) or said_at != at or disk != 0 or disks > 1:
        raise Refused("zip-zip64-invalid", "The ZIP64 locator does not lead to the ZIP64 end record before it.")
    _, length, _, _, *long = END64_RECORD.unpack(record)
    fulls = (FULL16, FULL16, FULL16, FULL16, FULL32, FULL32)
    if length != END64_RECORD.size - 12:
        raise Refused("zip-zip64-invalid", f"The ZIP64 end record says that it has {length} bytes instead of 44.")
    if any(value not in {full, true} for value, full, true in zip(short, fulls, long, strict=True)):
        raise Refused("zip-zip64-invalid", "The two end records contradict each other.")
    return agreed(at, tuple(long))


def agreed(end: int, record: tuple[int, ...]) -> Directory:
    disk, first_disk, here, count, size, start = record
    if disk or first_disk or here != count or start + size != end:
        raise Refused("zip-end-mismatch", "The end record does not describe the central directory before it.")
    return Directory(start, size, count)


def central_entries(source: Source, directory: Directory) -> Iterator[tuple[Header, ZipMember]]:
    """The entries of the central directory, which they fill exactly."""
    if directory.size > MAX_DIRECTORY:
        raise Refused("archive-too-many-members", f"The central directory has {directory.size} bytes.")
    data = source.read_at(directory.start, directory.size)
    at = 0
    for _ in range(directory.count):
        if data[at : at + 4] != CENTRAL or at + CENTRAL_HEADER.size > len(data):
            raise Refused("zip-directory-invalid", "The central directory holds something that is no entry.")
        fields = CENTRAL_HEADER.unpack_from(data, at)
        name_end = at + CENTRAL_HEADER.size + fields[10]
        extra_end = name_end + fields[11]
        if extra_end > len(data):
            raise Refused("zip-directory-invalid", "The central directory ends within an entry.")
        yield central_entry(fields, data[at + CENTRAL_HEADER.size : name_end], data[name_end:extra_end])
        at = extra_end
    if at != len(data):
        raise Refused("zip-end-mismatch", "The central directory holds more than its count of entries.")


def central_entry(fields: tuple[int, ...], raw: bytes, extra: bytes) -> tuple[Header, ZipMember]:
    _, made_by, version, flags, method, _, _, crc, packed, size, _, _, comment, disk, _, attributes, offset = fields
    name = member_name(raw, flags, version)
    if comment:
        raise Refused("zip-member-comment", f"The entry of {name!r} has a comment.")
    if disk:
        raise Refused("zip-end-mismatch", f"The entry of {name!r} names another disk.")
    if method not in {STORED, DEFLATED}:
        raise Refused(
            "zip-method", f"{name!r} is packed by method {method}; only stored and deflate are read everywhere."
        )
    size, packed, offset = widened(read_extras(extra, raw, name), (size, packed, offset), name)
    kind = member_kind(name, size, attributes >> 16 if made_by >> 8 == UNIX else 0)
    header = Header(raw, flags, method, crc, packed, size)
    return header, ZipMember(safe_path(name), kind, method, crc, packed, size, offset)


def member_name(raw: bytes, flags: int, version: int) -> str:
    """The name as text, after the flags and the version of zip that say how to read the member."""
    shown = raw[:80]
    if flags & DESCRIPTOR_FLAG:
        raise Refused(
            "zip-data-descriptor", f"The sizes of {shown!r} follow its data: write the zip to a seekable file."
        )
    if flags & ~KNOWN_FLAGS:
        raise Refused("zip-flags", f"The flags {flags:#06x} of {shown!r} say that it is encrypted or patched.")
    if version & 0xFF > ZIP64_VERSION:
        raise Refused("zip-flags", f"{shown!r} needs version {version & 0xFF} of zip; members here need 45 at most.")
    if not raw.isascii() and not flags & UTF8_FLAG:
        raise Refused("zip-name-encoding", f"The member name {shown!r} lacks the UTF-8 flag.")
    return decoded(raw)


def member_kind(name: str, size: int, mode: int) -> Kind:
    """A file or a folder. Links and devices have no place in a wheel or a zip sdist."""
    kind = Kind.FOLDER if name.endswith(("/", "\\")) else Kind.FILE
    posix = stat.S_IFMT(mode)
    contradicts = posix and (posix == stat.S_IFDIR) != (kind is Kind.FOLDER)
    if posix not in POSIX_KINDS or contradicts or (kind is Kind.FOLDER and size):
        raise Refused("zip-kind", f"{name!r} is neither a regular file nor an empty folder entry.")
    return kind


def read_extras(extra: bytes, raw_name: bytes, name: str) -> bytes:
    """The ZIP64 extra field's bytes (empty where there is none), from extra fields that tile exactly."""
    check_hidden(extra, f"the extra fields of {name!r}")
    found: dict[int, bytes] = {}
    at = 0
    while at < len(extra):
        if at + 4 > len(extra):
            raise Refused("zip-extra-invalid", f"The extra fields of {name!r} end within a header.")
        tag, length = struct.unpack_from("<2H", extra, at)
        value = extra[at + 4 : at + 4 + length]
        if len(value) != length or (tag in found and tag in {ZIP64_EXTRA, UNICODE_PATH_EXTRA}):
            raise Refused("zip-extra-invalid", f"The extra fields of {name!r} are cut off or given twice.")
        found[tag] = value
        at += 4 + length
    if UNICODE_PATH_EXTRA in found and found[UNICODE_PATH_EXTRA][5:] != raw_name:
        raise Refused("zip-extra-invalid", f"The Unicode Path field of {name!r} gives another name.")
    return found.get(ZIP64_EXTRA, b"")


def widened(extra: bytes, values: tuple[int, ...], name: str) -> tuple[int, ...]:
    """``values`` (size, packed size, offset) with those that are all ones taken from the ZIP64 extra field.

    Some writers add the field without need. It then repeats the values in order; all else would be a second truth.
    """
    if len(extra) not in {0, 8, 16, 24, 28}:
        raise Refused("zip-zip64-invalid", f"The ZIP64 field of {name!r} has {len(extra)} bytes.")
    longs = list(struct.unpack_from(f"<{len(extra) // 8}Q", extra))
    needed = sum(value == FULL32 for value in values)
    if not extra or needed > len(longs):
        if needed:
            raise Refused("zip-zip64-invalid", f"A size of {name!r} stands in a ZIP64 field that is not there.")
        return values
    taken = iter(longs)
    true = tuple(next(taken) if value == FULL32 else value for value in values)
    if needed != len(longs) and longs != list(true[: len(longs)]):
        raise Refused("zip-zip64-invalid", f"The ZIP64 field of {name!r} contradicts its header.")
    return true


def located(source: Source, entries: list[tuple[Header, ZipMember]], end: int) -> Iterator[ZipMember]:
    """The members with the offsets of their data: each begins where the one before ends, the last ends at ``end``."""
    at = 0
    for central, member in entries:
        if member.start != at:
            raise Refused("zip-gap", f"{member.path!r} does not begin where the member before it ends.")
        header, data = local_header(source, at, end)
        if header != central:
            raise Refused("zip-header-mismatch", f"The two headers of {member.path!r} differ.")
        at = data + member.packed
        yield ZipMember(
            member.path, member.kind, member.method, member.crc, member.packed, member.size, member.start, data
        )
    if at != end:
        raise Refused("zip-gap", "Bytes before the central directory belong to no member.")


def local_header(source: Source, at: int, end: int) -> tuple[Header, int]:
    """The local header at this offset and where its data begin."""
    fixed = source.read_at(at, LOCAL_HEADER.size)
    if not fixed.startswith(LOCAL) or len(fixed) < LOCAL_HEADER.size:
        raise Refused("zip-header-mismatch", "The central directory names a member that has no local header.")
    _, version, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL_HEADER.unpack(fixed)
    rest = source.read_at(at + LOCAL_HEADER.size, name_length + extra_length)
    data = at + LOCAL_HEADER.size + name_length + extra_length
    if data > end:
        raise Refused("zip-gap", "A local header reaches into the central directory.")
    raw = rest[:name_length]
    name = member_name(raw, flags, version)
    size, packed = widened(read_extras(rest[name_length:], raw, name), (size, packed), name)
    return Header(raw, flags, method, crc, packed, size), data


def check_hidden(data: bytes, where: str) -> None:
    """Readers that search for records would find one here, others not."""
    if b"PK" in data and any(signature in data for signature in SIGNATURES):
        raise Refused("zip-hidden-record", f"A zip record's signature hides in {where}.")


def unpacked(source: Source, member: ZipMember) -> Iterator[bytes]:
    """The member's contents in pieces; after the last one, its size and checksum have been proved."""
    pieces = inflated(source, member) if member.method == DEFLATED else stored(source, member)
    size = crc = 0
    for piece in pieces:
        size += len(piece)
        if size > member.size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != member.size:
        raise Refused("zip-size-mismatch", f"{member.path!r} does not unpack to the size that its headers state.")
    if crc != member.crc:
        raise Refused("zip-crc-mismatch", f"The contents of {member.path!r} differ from their checksum.")


def stored(source: Source, member: ZipMember) -> Iterator[bytes]:
    for at in range(0, member.packed, CHUNK):
        yield source.read_at(member.data + at, min(CHUNK, member.packed - at))


def inflated(source: Source, member: ZipMember) -> Iterator[bytes]:
    """The deflate stream, which ends exactly with the member's packed bytes."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    ended_early = False
    try:
        for packed in stored(source, member):
            ended_early = ended_early or inflate.eof
            yield from drained(inflate, packed)
    except zlib.error as error:
        raise Refused("zip-corrupt", f"{member.path!r} cannot be unpacked: {error}.") from None
    if not inflate.eof or inflate.unused_data or ended_early:
        raise Refused("zip-size-mismatch", f"The packed data of {member.path!r} end before or after its packed size.")


def drained(inflate: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """All that these packed bytes give, in pieces of bounded size."""
    while not inflate.eof:
        piece = inflate.decompress(packed, CHUNK)
        packed = inflate.unconsumed_tail
        if piece:
            yield piece
        if not packed and len(piece) < CHUNK:
            return


def contents(source: Source, member: ZipMember, most: int) -> bytes:
    """A small member as a whole; more than ``most`` bytes are refused."""
    if member.size > most:
        raise Refused("archive-bomb", f"{member.path!r} has {member.size} bytes ({most} allowed).")
    return b"".join(unpacked(source, member))
