"""What a wheel must hold (PEP 376, 427, 639, 770; the entry points specification)."""

import base64
import binascii
import configparser
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from packhouse.specs.archives import zips
from packhouse.specs.archives.limits import Limits
from packhouse.specs.archives.paths import DRIVE, Kind
from packhouse.specs.archives.source import Source
from packhouse.specs.errors import Refused

REASONS = {
    "wheel-dist-info": "The wheel lacks its one folder '{name}-{version}.dist-info', or has another one.",
    "wheel-file-missing": "WHEEL or METADATA is missing in the dist-info, or is there in another case.",
    "wheel-record-missing": "RECORD is missing in the dist-info.",
    "wheel-record-invalid": "RECORD is not UTF-8 or not CSV.",
    "wheel-record-unsafe": "A path in RECORD is absolute or goes up with '..'.",
    "wheel-record-mismatch": "RECORD differs from the contents: a path, a hash or a size.",
    "wheel-entry-points-invalid": "entry_points.txt is malformed, or names a script that could not be a file name.",
}

HASHES = {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"}
SIGNATURES = ("RECORD.jws", "RECORD.p7s")
SCRIPT_GROUPS = ("console_scripts", "gui_scripts")
SCRIPT_NAME = re.compile(r"[\w.-]+")
DATA_DIST_INFO = re.compile(r"[^/]+\.data/(?:purelib|platlib)/[^/]+\.dist-info(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of RECORD: ``hash`` like ``sha256=…`` and ``size`` in bytes, both as written."""

    hash: str
    size: str


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One point where RECORD and the contents differ."""

    path: str
    problem: str


@dataclass(frozen=True)
class Wheel:
    """The opened wheel: its members by path, and its dist-info folder."""

    source: Source
    members: dict[str, zips.ZipMember]
    dist_info: str

    def inside(self, name: str) -> zips.ZipMember | None:
        """A file of the dist-info, by its exact path in there."""
        member = self.members.get(f"{self.dist_info}/{name}")
        return member if member and member.kind is Kind.FILE else None

    def below(self, folder: str) -> list[zips.ZipMember]:
        """The files below a folder of the dist-info."""
        start = f"{self.dist_info}/{folder}/"
        return [m for path, m in self.members.items() if path.startswith(start) and m.kind is Kind.FILE]

    def read(self, name: str, most: int) -> bytes | None:
        member = self.inside(name)
        return zips.contents(self.source, member, most) if member else None


def open_wheel(source: Source, filename: str, limits: Limits) -> Wheel:
    """The wheel after all checks of its framing and of the names in it. Raises ``Refused``."""
    expected = dist_info_of(filename)
    members = {member.path: member for member in zips.read_members(source, limits)}
    found = {path.split("/")[0] for path in members if path.split("/")[0].lower().endswith(".dist-info")}
    if found != {expected}:
        raise Refused("wheel-dist-info", f"The wheel must have one folder {expected!r}; it has {sorted(found)!r}.")
    if any(DATA_DIST_INFO.match(path) for path in members if ".data/" in path):
        raise Refused("wheel-dist-info", "The wheel would install a second dist-info from its data folder.")
    wheel = Wheel(source, members, expected)
    for name in ("WHEEL", "METADATA", "RECORD"):
        check_present(wheel, name)
    return wheel


def dist_info_of(filename: str) -> str:
    """``{name}-{version}.dist-info`` for a wheel's file name, both as they stand in it."""
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in {5, 6} or not all(parts):
        raise Refused("archive-kind", f"{filename[:80]!r} is not the file name of a wheel.")
    return f"{parts[0]}-{parts[1]}.dist-info"


def check_present(wheel: Wheel, name: str) -> None:
    """The file is there, once, in exactly this case: where case does not count, another one would replace it."""
    path = f"{wheel.dist_info}/{name}"
    variants = [other for other in wheel.members if len(other) == len(path) and other.lower() == path.lower()]
    if wheel.inside(name) is None or len(variants) != 1:
        code = "wheel-record-missing" if name == "RECORD" else "wheel-file-missing"
        raise Refused(code, f"The wheel must have one file {path!r}; it has {variants!r}.")


def read_record(wheel: Wheel, limits: Limits) -> dict[str, list[Row]]:
    """RECORD's rows by path (with ``/``); more than one row means that the path is told twice."""
    data = wheel.read("RECORD", limits.record) or b""
    rows: dict[str, list[Row]] = {}
    try:
        for fields in csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True):
            if fields:
                path, digest, size, *_ = [*fields, "", "", ""]
                rows.setdefault(record_path(path), []).append(Row(digest, size))
    except UnicodeDecodeError:
        raise Refused("wheel-record-invalid", "RECORD is not UTF-8.") from None
    except csv.Error as error:
        raise Refused("wheel-record-invalid", f"RECORD is not CSV: {error}.") from None
    return rows


def record_path(path: str) -> str:
    """A path as RECORD writes it, with ``/``. An uninstaller would delete what an absolute path or ``..`` leads to."""
    path = path.replace("\\", "/")
    if path.startswith("/") or DRIVE.match(path) or ".." in path.split("/") or "\0" in path:
        raise Refused("wheel-record-unsafe", f"The path {path[:80]!r} in RECORD leads out of the installation.")
    return path


def check_contents(wheel: Wheel, limits: Limits) -> Iterator[Mismatch]:
    """Unpack every member once, proving its framing, and yield where RECORD differs from it.

    RECORD itself and its signatures (deprecated by PEP 815) need no row.
    """
    rows = read_record(wheel, limits)
    exempt = {f"{wheel.dist_info}/{name}" for name in ("RECORD", *SIGNATURES)}
    for path, member in wheel.members.items():
        told = rows.pop(path, [])
        problem = contents_problem(wheel.source, member, told)
        if problem and path not in exempt and member.kind is Kind.FILE:
            yield Mismatch(path, problem)
    yield from (Mismatch(path, "is not in the wheel") for path in rows if path not in exempt)


def contents_problem(source: Source, member: zips.ZipMember, rows: list[Row]) -> str:
    """How this member differs from its rows, or an empty text. Unpacks it in any case."""
    algorithm, _, stated = rows[0].hash.partition("=") if rows else ("", "", "")
    digest = hashlib.new(algorithm) if algorithm in HASHES else None
    for piece in zips.unpacked(source, member):
        if digest:
            digest.update(piece)
    if len(rows) != 1:
        return "is told twice in RECORD" if rows else "is not in RECORD"
    if digest is None:
        return "has no hash of SHA-256 or better in RECORD"
    if unbase64(stated) != digest.digest():
        return "differs from its hash in RECORD"
    if rows[0].size not in {"", str(member.size)}:
        return "differs from its size in RECORD"
    return ""


def unbase64(text: str) -> bytes:
    """URL-safe base64 without padding (PEP 427); empty where it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def check_entry_points(wheel: Wheel, limits: Limits) -> None:
    """Scripts become files, so their names must be file names and nothing more. Raises ``Refused``."""
    data = wheel.read("entry_points.txt", limits.metadata)
    if data is None:
        return
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused("wheel-entry-points-invalid", "entry_points.txt is not UTF-8.") from None
    except configparser.Error as error:
        raise Refused("wheel-entry-points-invalid", f"entry_points.txt cannot be read: {error}.") from None
    for group in SCRIPT_GROUPS:
        for name in parser[group] if parser.has_section(group) else ():
            if not SCRIPT_NAME.fullmatch(name) or not name.strip("."):
                raise Refused("wheel-entry-points-invalid", f"{name[:80]!r} cannot be the name of a script.")
