"""Looking into an archive: its members, or the beginning of one of them."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

from packhouse.specs.archives import zips
from packhouse.specs.archives.limits import Limits
from packhouse.specs.archives.paths import Kind
from packhouse.specs.archives.source import Source
from packhouse.specs.archives.tars import Gunzip, walk

MOST_LISTED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in an archive; ``size`` is bytes unpacked."""

    path: str
    size: int


def members(source: Source, filename: str, limits: Limits) -> list[Listed]:
    """The files in an archive by path, at most ``MOST_LISTED``.  Raises ``Refused``."""
    found = (Listed(member.path, member.size) for member in _walk(source, filename, limits))
    return sorted((member for _, member in zip(range(MOST_LISTED), found, strict=False)), key=lambda one: one.path)


def beginning(source: Source, filename: str, path: str, most: int, limits: Limits) -> bytes | None:
    """The first *most* bytes of the file at *path*; None where there is none.  Raises ``Refused``."""
    if filename.endswith((".whl", ".zip")):
        for member in zips.read_members(source, limits):
            if member.path == path and member.kind is Kind.FILE:
                return _first(zips.unpacked(source, member), most)
    else:
        stream = Gunzip(source, limits)
        for entry in walk(stream, limits):
            if entry.path == path and entry.kind is Kind.FILE:
                return stream.exactly(min(entry.size, most))
    return None


def as_json(request: dict[str, Any], source: Source, limits: Limits) -> dict[str, Any]:
    """The answer to a request of another process: ``filename``, and ``path`` with ``most`` to read a file."""
    if "path" in request:
        data = beginning(source, request["filename"], request["path"], request["most"], limits)
        return {"data": None if data is None else data.decode("latin-1")}
    return {"members": [asdict(member) for member in members(source, request["filename"], limits)]}


def _walk(source: Source, filename: str, limits: Limits) -> Iterator[Any]:
    if filename.endswith((".whl", ".zip")):
        found: Iterator[Any] = iter(zips.read_members(source, limits))
    else:
        found = iter(walk(Gunzip(source, limits), limits))
    return (member for member in found if member.kind is Kind.FILE)


def _first(pieces: Iterator[bytes], most: int) -> bytes:
    data = b""
    for piece in pieces:
        data += piece
        if len(data) >= most:
            break
    return data[:most]
