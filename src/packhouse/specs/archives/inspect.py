"""One look at an uploaded archive: every check that needs its contents, and what the index keeps of them."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from packhouse.specs.archives import sdists, tars, wheels, zips
from packhouse.specs.archives.limits import DEFAULT_LIMITS, Limits
from packhouse.specs.archives.source import Descriptor, Source, from_file
from packhouse.specs.errors import Refused

REASONS = {
    "archive-kind": "The file is neither a wheel (.whl) nor a source distribution (.tar.gz).",
    "archive-polyglot": "The file is a zip and a tar archive at once.",
    "license-file-missing": "A file named by License-File is not in the archive.",
}

SHOWN_MISMATCHES = 20


@dataclass(frozen=True)
class Sbom:
    """A software bill of materials in a wheel (PEP 770); ``content`` is ``None`` where it is too large to keep."""

    path: str
    size: int
    content: bytes | None


@dataclass(frozen=True)
class Inspection:
    """What a good archive holds.

    ``unpacked`` is bytes; ``root`` is the dist-info folder of a wheel and the top folder of an sdist.

    ``mismatches`` are the first differences between RECORD and contents, ``mismatch_count`` says how many there are.
    ``licenses`` are the licence files that are there and ``missing_licenses`` those asked for that are not, both
    relative to ``{root}/licenses`` in a wheel and to ``root`` in an sdist, of which only those asked for are listed
    (PEP 639).
    """

    metadata: bytes
    root: str
    member_count: int
    unpacked: int
    mismatches: tuple[wheels.Mismatch, ...] = ()
    mismatch_count: int = 0
    sboms: tuple[Sbom, ...] = ()
    licenses: tuple[str, ...] = ()
    missing_licenses: tuple[str, ...] = ()

    def check_record(self) -> None:
        """Refuse a wheel whose RECORD differs from its contents."""
        if self.mismatches:
            shown = "; ".join(f"{mismatch.path} {mismatch.problem}" for mismatch in self.mismatches[:3])
            raise Refused(
                "wheel-record-mismatch", f"RECORD differs from the contents in {self.mismatch_count}: {shown}."
            )

    def check_licenses(self) -> None:
        """Refuse an archive that lacks a licence file which its metadata name."""
        if self.missing_licenses:
            shown = ", ".join(repr(path) for path in self.missing_licenses[:5])
            raise Refused("license-file-missing", f"The archive lacks {shown}.", field="License-File")

    def as_json(self) -> dict[str, Any]:
        """The same as JSON can write it, bytes in base64."""
        sboms = [asdict(sbom) | {"content": to_text(sbom.content)} for sbom in self.sboms]
        return asdict(self) | {"metadata": to_text(self.metadata), "sboms": sboms}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Inspection":
        mismatches = tuple(wheels.Mismatch(**item) for item in data["mismatches"])
        sboms = tuple(Sbom(**item | {"content": from_text(item["content"])}) for item in data["sboms"])
        lists = {key: tuple(data[key]) for key in ("licenses", "missing_licenses")}
        metadata = from_text(data["metadata"]) or b""
        return cls(**data | {"metadata": metadata, "mismatches": mismatches, "sboms": sboms} | lists)


def to_text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def from_text(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def inspect(
    file: int | Path | BinaryIO,
    filename: str,
    packagetype: str,
    *,
    license_files: Sequence[str] = (),
    limits: Limits = DEFAULT_LIMITS,
) -> Inspection:
    """Read the archive to its end and check everything in it, in this process. Raises ``Refused``.

    ``file`` is a descriptor, an open file or a path; its offset stays where it is. ``packagetype`` is ``bdist_wheel``
    or ``sdist``. RECORD mismatches and missing licence files do not refuse by themselves: see ``Inspection``.
    """
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return inspect_source(from_file(opened), filename, packagetype, license_files, limits)
    source = Descriptor(file) if isinstance(file, int) else from_file(file)
    return inspect_source(source, filename, packagetype, license_files, limits)


def inspect_source(
    source: Source, filename: str, packagetype: str, license_files: Sequence[str], limits: Limits
) -> Inspection:
    if packagetype == "bdist_wheel" and filename.endswith(".whl"):
        if looks_like_tar(source):
            raise Refused("archive-polyglot", "The file is a zip and a tar archive at once.")
        return inspect_wheel(source, filename, license_files, limits)
    if packagetype == "sdist" and filename.endswith(".tar.gz"):
        if looks_like_zip(source):
            raise Refused("archive-polyglot", "The file is a zip and a tar archive at once.")
        return inspect_sdist(source, license_files, limits)
    raise Refused("archive-kind", f"{filename[:80]!r} is not the file name of a {packagetype}.")


def inspect_wheel(source: Source, filename: str, license_files: Sequence[str], limits: Limits) -> Inspection:
    wheel = wheels.open_wheel(source, filename, limits)
    wheels.check_entry_points(wheel, limits)
    mismatches = list(wheels.check_contents(wheel, limits))
    start = len(f"{wheel.dist_info}/licenses/")
    present = tuple(member.path[start:] for member in wheel.below("licenses"))
    found = Inspection(
        metadata=wheel.read("METADATA", limits.metadata) or b"",
        root=wheel.dist_info,
        member_count=len(wheel.members),
        unpacked=sum(member.size for member in wheel.members.values()),
        mismatches=tuple(mismatches[:SHOWN_MISMATCHES]),
        mismatch_count=len(mismatches),
        sboms=tuple(read_sboms(wheel, limits)),
    )
    return replace(found, licenses=present, missing_licenses=tuple(p for p in license_files if p not in set(present)))


def inspect_sdist(source: Source, license_files: Sequence[str], limits: Limits) -> Inspection:
    sdist = sdists.read_sdist(source, limits)
    return Inspection(
        metadata=sdist.pkg_info,
        root=sdist.top,
        member_count=len(sdist.members),
        unpacked=sum(member.size for member in sdist.members.values()),
        licenses=tuple(path for path in license_files if sdist.has(path)),
        missing_licenses=tuple(path for path in license_files if not sdist.has(path)),
    )


def read_sboms(wheel: wheels.Wheel, limits: Limits) -> Iterator[Sbom]:
    left = limits.sboms
    for member in wheel.below("sboms"):
        kept = member.size <= left
        left -= member.size if kept else 0
        yield Sbom(member.path, member.size, zips.contents(wheel.source, member, limits.sboms) if kept else None)


def looks_like_tar(source: Source) -> bool:
    """Whether the first block is a tar header by its checksum; some readers ask no more."""
    return tars.checksum_holds(source.read_at(0, tars.BLOCK))


def looks_like_zip(source: Source) -> bool:
    """Whether a reader that looks for an end record near the file's end would find a central directory before it."""
    start = max(0, source.size - zips.MAX_COMMENT - zips.END_RECORD.size)
    tail = source.read_at(start, source.size - start)
    at = tail.rfind(zips.END)
    while at >= 0:
        if len(tail) - at >= zips.END_RECORD.size and ends_directory(source, start + at, tail[at:]):
            return True
        at = tail.rfind(zips.END, 0, at)
    return False


def ends_directory(source: Source, at: int, record: bytes) -> bool:
    size = zips.END_RECORD.unpack_from(record)[5]
    if size == zips.FULL32:
        return source.read_at(max(0, at - zips.LOCATOR64_RECORD.size), 4) == zips.LOCATOR64
    return size == 0 or (size <= at and source.read_at(at - size, 4) == zips.CENTRAL)
