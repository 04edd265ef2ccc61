"""Many projects at once: the path for imports, from rows that are known to be good.

Projects, releases, files, file names and the journal are written in few statements.  Nothing is announced: whoever
loads in bulk builds the documents in bulk as well (``index.loading``).  Three steps, so that the second can be done by
another process: `reserve` numbers, compute `rows`, `write` them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from packhouse.base import bulk, clock
from packhouse.documents.actions import serial_lock
from packhouse.projects.models import File, Filename, JournalEntry, Project, Release
from packhouse.specs.filenames import file_sort_key
from packhouse.specs.names import normalize, skeleton
from packhouse.specs.versions import canonical, is_prerelease, parse, sort_key


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file whose bytes are stored already (or elsewhere).  Digests are lower-case hex, ``size`` is in bytes."""

    filename: str
    packagetype: str
    python_version: str
    size: int
    sha256: str
    blake2_256: str
    md5: str
    metadata_sha256: str = ""
    uploaded: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewRelease:
    """A version and its files; ``metadata`` as in ``Release.metadata``."""

    version: str
    files: Sequence[NewFile] = ()
    metadata: dict[str, object] | None = None
    requires_python: str = ""
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project that does not exist yet."""

    name: str
    summary: str = ""
    releases: Sequence[NewRelease] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Some hundreds of new projects and the numbers that are theirs; all else follows without the database.

    ``guards`` are their skeletons, None where an older project has the same.
    """

    entries: Sequence[NewProject]
    ids: Sequence[int]
    serials: Sequence[int]
    releases: Sequence[int]
    guards: Sequence[str | None]
    now: datetime


@dataclass(slots=True)
class Rows:
    """What is written for a batch: values in the order of ``_TABLES``."""

    projects: list[tuple[Any, ...]] = field(default_factory=list)
    releases: list[tuple[Any, ...]] = field(default_factory=list)
    files: list[tuple[Any, ...]] = field(default_factory=list)
    journal: list[tuple[Any, ...]] = field(default_factory=list)


def load_projects(entries: Sequence[NewProject]) -> list[int]:
    """Write *entries* (some hundreds) in the caller's transaction; returns the ids of the projects, in order.

    The serial lock is taken here and held until the transaction ends.  Raises ``IntegrityError`` of the database driver
    when a name, a file name or a content is taken, and ``Refused`` for a version that is none.
    """
    batch = reserve(entries)
    write(rows(batch))
    return list(batch.ids)


def reserve(entries: Sequence[NewProject], taken: set[str | None] | None = None) -> Batch:
    """Numbers for *entries*, under the serial lock, which is held until the transaction ends.

    *taken* are all skeletons there are, for who knows them; those of *entries* are added.  Else the database is asked.
    """
    serial_lock()
    return Batch(
        entries,
        bulk.reserve_ids(Project, len(entries)),
        bulk.reserve_ids(JournalEntry, len(entries)),
        bulk.reserve_ids(Release, sum(len(entry.releases) for entry in entries)),
        _guards(entries, taken),
        clock.now(),
    )


def _guards(entries: Sequence[NewProject], taken: set[str | None] | None) -> list[str | None]:
    """What exists elsewhere may look alike; the oldest of a kind keeps the skeleton that guards against new ones."""
    wanted = [skeleton(entry.name) for entry in entries]
    if taken is None:
        taken = set()
        for start in range(0, len(wanted), 500):
            found = Project.objects.filter(skeleton__in=wanted[start : start + 500])
            taken.update(found.values_list("skeleton", flat=True))
    guards: list[str | None] = []
    for text in wanted:
        guards.append(None if text in taken else text)
        taken.add(text)
    return guards


class Version(NamedTuple):
    """What a version's text says."""

    canonical: str
    sort_key: bytes
    is_prerelease: bool


@lru_cache(maxsize=65536)
def version(text: str) -> Version:
    """The version that *text* spells; raises ``Refused`` for one that is none."""
    parsed = parse(text)
    return Version(canonical(parsed), sort_key(parsed), is_prerelease(parsed))


def metadata_of(entry: NewProject, release: NewRelease) -> dict[str, object]:
    return release.metadata or {"name": entry.name, "version": release.version, "summary": entry.summary}


def path_of(file: NewFile) -> str:
    b2 = file.blake2_256
    return f"{b2[:2]}/{b2[2:4]}/{b2[4:]}/{file.filename}"


def rows(batch: Batch) -> Rows:
    """The rows of *batch*.  Asks the database nothing.  Raises ``Refused`` for a version that is none."""
    made, now, numbers = Rows(), bulk.moment(batch.now), iter(batch.releases)
    for entry, key, serial, guard in zip(batch.entries, batch.ids, batch.serials, batch.guards, strict=True):
        first = len(made.files)
        for new in entry.releases:
            made.releases.append(release := _release_row(entry, new, key, next(numbers), now))
            made.files += [_file_row(file, release) for file in new.files]
        size = sum(row[_SIZE] for row in made.files[first:])
        name = normalize(entry.name)
        made.projects.append(
            (key, bulk.uid(uuid.uuid4()), entry.name, name, guard, now, "active", "", serial, size),
        )
        made.journal.append((serial, entry.name, "create", now))
    return made


def write(made: Rows) -> None:
    """Write *made* in the caller's transaction."""
    bulk.insert(Project, _PROJECT, made.projects)
    bulk.insert(Release, _RELEASE, made.releases)
    bulk.insert(Filename, ("filename", "created"), ((row[2], row[-1]) for row in made.files))
    bulk.insert(File, _FILE, made.files)
    bulk.insert(JournalEntry, ("id", "name", "action", "created"), made.journal)


TABLES = (Project, Release, Filename, File, JournalEntry)
"""All that is written here."""
_PROJECT = (
    *("id", "uid", "name", "normalized_name", "skeleton", "created", "status", "status_reason"),
    *("last_serial", "total_size"),
)
_RELEASE = (
    *("id", "project", "version", "canonical_version", "sort_key", "is_prerelease", "created", "summary"),
    *("requires_python", "metadata", "verified", "yanked", "yanked_reason", "quarantined", "uploaded_via"),
)
_FILE = (
    *("release", "project", "filename", "packagetype", "python_version", "size", "md5", "sha256", "blake2_256"),
    *("path", "metadata_sha256", "sort_key", "comment", "sboms", "uploaded_via", "uploaded"),
)
_SIZE = _FILE.index("size")


def _release_row(entry: NewProject, new: NewRelease, project: int, key: int, now: Any) -> tuple[Any, ...]:
    about = version(new.version)
    created = bulk.moment(new.created) if new.created else now
    return (
        *(key, project, new.version, about.canonical, about.sort_key, about.is_prerelease, created),
        *(entry.summary[:512], new.requires_python, bulk.jsonb(metadata_of(entry, new)), "[]", False, "", False, ""),
    )


def _file_row(new: NewFile, release: tuple[Any, ...]) -> tuple[Any, ...]:
    return (
        *(release[0], release[1], new.filename, new.packagetype, new.python_version, new.size),
        *(new.md5, new.sha256, new.blake2_256, path_of(new), new.metadata_sha256),
        *(file_sort_key(release[4], new.filename), "", "[]", ""),
        bulk.moment(new.uploaded) if new.uploaded else release[6],
    )
