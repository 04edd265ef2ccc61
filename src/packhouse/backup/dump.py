"""The database at one moment, on its way into a backup."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from packhouse.backup.parts import Packed

FILES = "SELECT path, size, sha256, metadata_sha256 FROM projects_file ORDER BY path"
MIGRATIONS = "SELECT app, name FROM django_migrations ORDER BY app, name"
JOURNAL, CHANGES = "projects_journalentry", "documents_change"
ENTRIES = """
    INSERT INTO projects_journalentry (name, action, created)
    SELECT name, 'restored from backup', CURRENT_TIMESTAMP FROM projects_project ORDER BY id"""
SERIALS = """
    UPDATE projects_project SET last_serial = (
        SELECT max(entry.id) FROM projects_journalentry entry
        WHERE entry.name = projects_project.name AND entry.action = 'restored from backup')"""
MOVE_ON = (
    ENTRIES,
    SERIALS,
    "DELETE FROM documents_document WHERE key = 'stamp'",  # the next start makes all documents anew
    "DELETE FROM django_session",
)
"""What is done to a restored database, after its tables count on from further up; see ``restore``."""


class Named(NamedTuple):
    """A blob that the rows name; ``size`` is None where no row tells it."""

    key: str
    size: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Dump:
    """All of one database, packed on this disk; see ``Manifest`` for what the fields mean."""

    database: tuple[Packed, ...]
    blobs: Packed
    counts: Mapping[str, int]
    numbers: Mapping[str, int]
    migrations: Mapping[str, tuple[str, ...]]

    @property
    def serial(self) -> int:
        return self.numbers.get(JOURNAL, 0)


def blobs_of(rows: Iterable[Sequence[object]]) -> Iterator[Named]:
    """The blobs of the files in *rows*, which are those of ``FILES``."""
    for path, size, sha256, metadata_sha256 in rows:
        yield Named(str(path), int(str(size)), str(sha256))
        if metadata_sha256:
            yield Named(f"{path}.metadata", None, str(metadata_sha256))


def as_lines(blobs: Iterable[Named]) -> Iterator[bytes]:
    for blob in blobs:
        yield json.dumps(blob).encode() + b"\n"


def from_lines(lines: Iterable[bytes]) -> Iterator[Named]:
    for line in lines:
        yield Named(*json.loads(line))


def by_app(rows: Iterable[Sequence[object]]) -> dict[str, tuple[str, ...]]:
    """Migrations by app, in order, from the rows of ``MIGRATIONS``."""
    found: dict[str, list[str]] = defaultdict(list)
    for app, name in rows:
        found[str(app)].append(str(name))
    return {app: tuple(names) for app, names in found.items()}
