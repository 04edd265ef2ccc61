"""Records of the OSV format, as they are published for everybody, read into reports.  Pure.

https://ossf.github.io/osv-schema/.  Of a record only what it says of the ecosystem PyPI counts.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final

from packhouse.integrations import ranges, reports
from packhouse.integrations.reports import Malformed, Report
from packhouse.specs.names import normalize

ECOSYSTEM: Final = "PyPI"
LARGEST_FILE: Final = 256 * 1024**2
LARGEST_MEMBER: Final = 16 * 1024**2
MOST_MEMBERS: Final = 1_000_000
ZIP: Final = b"PK"

Named = tuple[str, Any]
"""Where a record stands, and the record: what JSON made of it, or the exception that it cannot be read with."""


def records(file: IO[bytes]) -> Iterator[Named]:
    """The records in *file*, which can seek: a record, a list of them, or a zip with a file for each.

    Raises ``Malformed`` where nothing can be read at all.
    """
    begins = file.read(len(ZIP))
    file.seek(0)
    if begins == ZIP:
        yield from _zipped(file)
        return
    content = _parsed(file.read(LARGEST_FILE + 1), LARGEST_FILE)
    if isinstance(content, Malformed):
        raise content
    if isinstance(content, list):
        yield from ((f"[{number}]", record) for number, record in enumerate(content))
    else:
        yield "", content


def _zipped(file: IO[bytes]) -> Iterator[Named]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise Malformed("zip", str(error)) from error
    with archive:
        members = [member for member in archive.infolist() if member.filename.endswith(".json")]
        if len(members) > MOST_MEMBERS:
            raise Malformed("zip", f"expected at most {MOST_MEMBERS} files")
        for member in members:
            yield member.filename, _member(archive, member)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    try:
        with archive.open(member) as content:
            return _parsed(content.read(LARGEST_MEMBER + 1), LARGEST_MEMBER)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        return Malformed("zip", f"cannot be unpacked: {error}")


def _parsed(content: bytes, largest: int) -> Any:
    if len(content) > largest:
        return Malformed("file", f"expected at most {largest} bytes")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        return Malformed("file", f"expected JSON: {error}")


def read(record: Any) -> list[Report]:
    """What *record* says of each project of the ecosystem; nothing where it is about others.  Raises ``Malformed``."""
    if isinstance(record, Malformed):
        raise record
    if not isinstance(record, dict):
        raise Malformed("record", "expected an object")
    affected = _listed(record, "affected")
    found: dict[str, Report] = {}
    for number, said in enumerate(affected):
        if report := _of_project(record, said, f"affected[{number}]."):
            earlier = found.get(report.project)
            found[report.project] = earlier.with_more(report) if earlier else report
    return list(found.values())


def _of_project(record: Mapping[str, Any], said: Any, where: str) -> Report | None:
    package = said.get("package") if isinstance(said, dict) else None
    if not isinstance(package, dict) or package.get("ecosystem") != ECOSYSTEM:
        return None
    name = package.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= reports.LONGEST["project"]:
        raise Malformed(f"{where}package.name", "expected the name of a project")
    named = reports.canonical(reports.texts(said, "versions", where=where))
    found = list(_ranges(said, where, may_drop=bool(named)))
    fixed = (at for events in found for kind, at in events if kind == ranges.FIXED)
    return Report(
        project=normalize(name),
        identifier=reports.text(record, "id", required=True),
        versions=named,
        ranges=tuple(found),
        link=_link(record),
        aliases=reports.texts(record, "aliases"),
        summary=reports.text(record, "summary"),
        details=reports.text(record, "details"),
        fixed_in=reports.ordered(tuple(fixed)),
        withdrawn=reports.moment(record, "withdrawn"),
    )


def _ranges(said: Mapping[str, Any], where: str, *, may_drop: bool) -> Iterator[tuple[ranges.Event, ...]]:
    """Those ranges that are about versions.  One that cannot be evaluated is dropped where versions are named."""
    for number, item in enumerate(_listed(said, "ranges", where)):
        field = f"{where}ranges[{number}]"
        if not isinstance(item, dict):
            raise Malformed(field, "expected an object")
        if item.get("type") != "ECOSYSTEM":  # GIT: of commits
            continue
        try:
            yield tuple(ranges.read(item.get("events") or []))
        except (ValueError, TypeError) as error:
            if not may_drop:
                raise Malformed(f"{field}.events", str(error)) from error


def _listed(said: Mapping[str, Any], name: str, where: str = "") -> list[Any]:
    value = said.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(where + name, "expected a list")
    return value


def _link(record: Mapping[str, Any]) -> str:
    """The address of the advisory; where the record names none, the first address of all."""
    references = record.get("references")
    found: dict[str, str] = {}
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and isinstance(url := reference.get("url"), str):
            try:
                reports.storable(reports.link(url, "url"), "url")
            except Malformed:
                continue
            if len(url) <= reports.LONGEST["link"]:
                found.setdefault(str(reference.get("type")), url)
    return found.get("ADVISORY") or next(iter(found.values()), "")
