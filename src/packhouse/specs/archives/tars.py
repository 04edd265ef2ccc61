"""Gzipped tar archives that every reader reads alike (RFC 1952, POSIX.1-2001 pax, GNU tar's basic format).

Read as a stream, once, by our own reader: a header may say a thing only once, and what readers are known to treat
differently (sparse files, sizes told twice, hard links, mixed dialects) is refused. Nothing is ever written to disk.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from packhouse.specs.archives.limits import MIB, Limits
from packhouse.specs.archives.paths import CONTROL, DRIVE, Kind, Tree, decoded, safe_path
from packhouse.specs.archives.source import CHUNK, Source
from packhouse.specs.errors import Refused

REASONS = {
    "gzip-invalid": "The file is no gzip stream, or it is cut off or corrupt.",
    "gzip-trailing-data": "Bytes follow the one gzip member.",
    "tar-header-invalid": "A header has a wrong checksum, an unknown dialect, or is cut off.",
    "tar-size-invalid": "A member's size is no octal number, is told twice differently, or belongs to no file.",
    "tar-sparse": "A member is a sparse file.",
    "tar-kind": "A member is a hard link, a device, or of another kind than file, folder and symbolic link.",
    "tar-link-unsafe": "A symbolic link leads out of the archive's top folder, or goes up after it went down.",
    "tar-pax-invalid": "An extended header is malformed, too large, repeated, or says what it may not say.",
    "tar-no-end": "The archive does not end with two blocks of zeros.",
    "tar-trailing-data": "Something follows the end of the archive, or more than a MiB of zeros.",
}

BLOCK = 512
ZEROS = bytes(BLOCK)
MAX_HEADER = MIB
MAX_PADDING = MIB
POSIX_MAGIC, GNU_MAGIC, OLD_MAGIC = b"ustar\x0000", b"ustar  \x00", bytes(8)
OCTAL = re.compile(rb" *([0-7]+)[ \0]*")
NUMBER = re.compile(rb" *[0-7]*[ \0]*|[\x80\xff].*", re.DOTALL)
NUMBERS = (slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148), slice(329, 337), slice(337, 345))
PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,8}) ")
KINDS = {b"0": Kind.FILE, b"\0": Kind.FILE, b"5": Kind.FOLDER, b"2": Kind.LINK}
PAX, PAX_GLOBAL, GNU_NAME, GNU_LINK, GNU_SPARSE = b"x", b"g", b"L", b"K", b"S"
OF_NEXT = {PAX, GNU_NAME, GNU_LINK}  # headers that tell about the member after them
TOLD_ONCE = {b"path", b"linkpath", b"size"}
SPARSE_KEYS = (b"GNU.sparse.", b"SCHILY.realsize")


@dataclass(frozen=True, slots=True)
class TarMember:
    """One member; ``size`` is bytes, ``target`` what a link says."""

    path: str
    kind: Kind
    size: int
    target: str = ""


class Gunzip:
    """The unpacked bytes of one gzip member, read forward only, never more than the limits allow."""

    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._most = limits.allowed_bytes(source.size)
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._packed = b""
        self._offset = 0
        self._buffer = b""
        self._at = 0
        self.position = 0

    def read(self, length: int) -> bytes:
        """``length`` bytes, fewer only at the end."""
        while len(self._buffer) - self._at < length and (more := self._more()):
            self._buffer = self._buffer[self._at :] + more
            self._at = 0
        data = self._buffer[self._at : self._at + length]
        self._at += len(data)
        self.position += len(data)
        return data

    def exactly(self, length: int) -> bytes:
        data = self.read(length)
        if len(data) != length:
            raise Refused("gzip-invalid", "The archive ends within a member.")
        return data

    def skip(self, length: int) -> None:
        while length:
            length -= len(self.exactly(min(length, CHUNK)))

    def _more(self) -> bytes:
        """The next unpacked piece; empty where the gzip member, and the file with it, ends."""
        piece = b""
        while not piece and not self._inflate.eof:
            packed = self._inflate.unconsumed_tail or self._next_packed()
            piece = self._unpack(packed)
            if not (piece or packed or self._inflate.eof):
                raise Refused("gzip-invalid", "The gzip stream is cut off.")
        if self._inflate.eof and (self._inflate.unused_data or self._offset < self._source.size):
            raise Refused("gzip-trailing-data", "Bytes follow the gzip member.")
        if self.position + len(self._buffer) - self._at + len(piece) > self._most:
            raise Refused("archive-bomb", f"{self._source.size} bytes unpack to more than {self._most}.")
        return piece

    def _unpack(self, packed: bytes) -> bytes:
        try:
            return self._inflate.decompress(packed, CHUNK)
        except zlib.error as error:
            raise Refused("gzip-invalid", f"The file cannot be unpacked: {error}.") from None

    def _next_packed(self) -> bytes:
        packed = self._source.read_at(self._offset, CHUNK)
        self._offset += len(packed)
        return packed


@dataclass(slots=True)
class Extended:
    """What extended headers said about the member that follows them, in one dialect alone."""

    dialect: str = ""
    values: dict[bytes, bytes] = field(default_factory=dict)

    def take(self, dialect: str, values: dict[bytes, bytes]) -> None:
        """Two dialects on one member, two pax headers, or one key twice would be two truths."""
        repeated = self.dialect == dialect == "pax" or self.values.keys() & values.keys()
        if repeated or self.dialect not in {"", dialect}:
            raise Refused("tar-pax-invalid", "Two extended headers tell about one member.")
        self.dialect = dialect
        self.values |= values


def walk(stream: Gunzip, limits: Limits) -> Iterator[TarMember]:
    """Every member in order, all paths and links proved at the end. Raises ``Refused``.

    While a member is current, the caller may read up to its ``size`` bytes from ``stream``.
    """
    tree = Tree()
    count = 0
    extended = Extended()
    flag = b""
    while (block := next_header(stream)) is not None:
        flag, size = block[156:157], octal_size(block[124:136])
        count += flag not in OF_NEXT
        if count > limits.members:
            raise Refused("archive-too-many-members", f"The archive has more than {limits.members} members.")
        if flag in OF_NEXT or flag == PAX_GLOBAL:
            take_extended(stream, flag, size, extended)
            continue
        member = read_member(block, size, extended.values)
        tree.add(member.path, member.kind)
        end = stream.position + member.size + -member.size % BLOCK
        yield member
        stream.skip(end - stream.position)
        extended = Extended()
    if flag in OF_NEXT or flag == PAX_GLOBAL:
        raise Refused("tar-pax-invalid", "An extended header has no member.")
    tree.check()


def next_header(stream: Gunzip) -> bytes | None:
    """The next header block, its checksum proved; ``None`` at an end after which there are only zeros."""
    block = stream.read(BLOCK)
    if block == ZEROS:
        check_end(stream)
        return None
    if len(block) < BLOCK:
        raise Refused("tar-no-end", "The archive does not end with two blocks of zeros.")
    if not checksum_holds(block):
        raise Refused("tar-header-invalid", "A header has a wrong checksum.")
    magic = block[257:265]
    if magic not in {POSIX_MAGIC, GNU_MAGIC, OLD_MAGIC}:
        raise Refused("tar-header-invalid", f"A header is of an unknown dialect ({magic!r}).")
    if not all(NUMBER.fullmatch(block[field]) for field in NUMBERS):
        raise Refused("tar-header-invalid", "A mode, owner, time or device is no number: some readers would end there.")
    return block


def checksum_holds(block: bytes) -> bool:
    """Whether a header's checksum, counted with blanks in its own place, is the stated one."""
    stated = OCTAL.fullmatch(block[148:156])
    return stated is not None and int(stated[1], 8) == sum(block) - sum(block[148:156]) + 8 * 0x20


def check_end(stream: Gunzip) -> None:
    """The second block of zeros, and zeros alone after it: writers fill up to a whole record of some KiB."""
    if stream.read(BLOCK) != ZEROS:
        raise Refused("tar-no-end", "The archive does not end with two blocks of zeros.")
    rest = stream.read(MAX_PADDING + 1)
    if len(rest) > MAX_PADDING or rest.strip(b"\0"):
        raise Refused("tar-trailing-data", "Bytes follow the end of the tar archive.")


def octal_size(field_bytes: bytes) -> int:
    """A size in bytes. Binary sizes are for members beyond 8 GiB alone, and negative ones made readers loop."""
    match = OCTAL.fullmatch(field_bytes)
    if match is None:
        raise Refused("tar-size-invalid", f"The size {field_bytes!r} is no octal number.")
    return int(match[1], 8)


def take_extended(stream: Gunzip, flag: bytes, size: int, extended: Extended) -> None:
    """Read the data of a header that only tells about others into ``extended``.

    Some readers take the whole last block for text, so that what fills it must be zeros, and a NUL only ends a name.
    """
    if size > MAX_HEADER:
        raise Refused("tar-pax-invalid", f"An extended header has {size} bytes.")
    data = stream.exactly(size)
    name = data.rstrip(b"\0")
    if stream.exactly(-size % BLOCK).strip(b"\0") or (flag in {GNU_NAME, GNU_LINK} and b"\0" in name):
        raise Refused("tar-pax-invalid", "Something hides behind the end of an extended header.")
    if flag == PAX:
        extended.take("pax", pax_records(data))
    elif flag == PAX_GLOBAL:
        if TOLD_ONCE & pax_records(data).keys() or extended.dialect:
            raise Refused("tar-pax-invalid", "A global header tells the path or size of members, or parts one in two.")
    else:
        extended.take("GNU", {b"path" if flag == GNU_NAME else b"linkpath": name})


def pax_records(data: bytes) -> dict[bytes, bytes]:
    """Key to value of an extended header, whose records (``"<length> <key>=<value>\\n"``) tile it exactly."""
    records: dict[bytes, bytes] = {}
    at = 0
    while at < len(data):
        length = PAX_LENGTH.match(data, at)
        end = at + int(length[1]) if length else 0
        if length is None or end > len(data) or data[end - 1 : end] != b"\n" or end <= length.end():
            raise Refused("tar-pax-invalid", "An extended header is malformed.")
        key, equals, value = data[length.end() : end - 1].partition(b"=")
        if not equals or (key in records and key in TOLD_ONCE):
            raise Refused("tar-pax-invalid", "An extended header is malformed or says something twice.")
        records[key] = value
        at = end
    check_pax_keys(records)
    return records


def check_pax_keys(records: dict[bytes, bytes]) -> None:
    if any(key.startswith(SPARSE_KEYS) for key in records):
        raise Refused("tar-sparse", "A member is a sparse file.")
    if records.get(b"hdrcharset", b"ISO-IR 10646 2000 UTF-8") != b"ISO-IR 10646 2000 UTF-8":
        raise Refused("tar-pax-invalid", "An extended header is not UTF-8.")


def read_member(block: bytes, size: int, extended: dict[bytes, bytes]) -> TarMember:
    """The member that a header and the extended headers before it describe."""
    flag = block[156:157]
    if flag == GNU_SPARSE:
        raise Refused("tar-sparse", "A member is a sparse file.")
    name = decoded(extended.get(b"path", header_name(block)))
    path = safe_path(name)
    kind = KINDS.get(flag)
    if kind is None or (kind is not Kind.FOLDER and name.endswith(("/", "\\"))):
        raise Refused("tar-kind", f"{path!r} is neither a file, a folder nor a symbolic link (type {flag!r}).")
    told = extended.get(b"size")
    if (told is not None and told != str(size).encode()) or (size and kind is not Kind.FILE):
        raise Refused("tar-size-invalid", f"The size of {path!r} is told twice, or belongs to no file.")
    if kind is not Kind.LINK:
        return TarMember(path, kind, size)
    target = decoded(extended.get(b"linkpath", block[157:257].split(b"\0")[0]))
    check_target(path, target)
    return TarMember(path, kind, 0, target)


def header_name(block: bytes) -> bytes:
    """The name in the header itself. Readers differ on a prefix in other dialects, so there must be none."""
    name, prefix = block[:100].split(b"\0")[0], block[345:500]
    if block[257:265] == POSIX_MAGIC:
        prefix = prefix.split(b"\0")[0]
        return prefix + b"/" + name if prefix else name
    if prefix.strip(b"\0"):
        raise Refused("tar-header-invalid", "A header that is not POSIX has a name prefix.")
    return name


def check_target(path: str, target: str) -> None:
    """A link may go up first and down then, within the top folder.

    Up after down could pass another link, so that the text alone would not tell where it leads.
    """
    parts = [part for part in target.replace("\\", "/").split("/") if part not in {"", "."}]
    ups = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    rooted = not target or target[0] in "/\\" or DRIVE.match(target) or CONTROL.search(target)
    if rooted or ups > path.count("/") - 1 or ".." in parts[ups:]:
        raise Refused("tar-link-unsafe", f"The link {path!r} leads to {target[:80]!r}.")
