"""Many projects at once: the path for imports, from rows that are known to be good.

Writes projects, releases, files, file names and the journal in few statements.  Nothing is announced: whoever loads
in bulk builds the documents in bulk as well (``index.bulk``).
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

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


def load_projects(entries: Sequence[NewProject]) -> list[int]:
    """Write *entries* (some hundreds) in the caller's transaction; returns the ids of the projects, in order.

    The serial lock is taken here and held until the transaction ends.  Raises ``IntegrityError`` of the database driver
    when a name, a file name or a content is taken, and ``Refused`` for a version that is none.
    """
    serial_lock()
    projects = bulk.reserve_ids(Project, len(entries))
    serials = bulk.reserve_ids(JournalEntry, len(entries))
    releases = bulk.reserve_ids(Release, sum(len(entry.releases) for entry in entries))
    files = _Files()
    guards = _skeletons(entries)  # asked now: the connection takes no question while rows are being copied
    bulk.insert(Project, _PROJECT, _project_rows(entries, projects, serials, guards))
    bulk.insert(Release, _RELEASE, files.gathered(_release_rows(entries, projects, releases)))
    bulk.insert(Filename, ("filename", "created"), ((row[2], row[-1]) for row in files.rows))
    bulk.insert(File, _FILE, files.rows)
    now = bulk.moment(clock.now())
    journal = ((serial, entry.name, "create", now) for serial, entry in zip(serials, entries, strict=True))
    bulk.insert(JournalEntry, ("id", "name", "action", "created"), journal)
    return list(projects)


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


def _project_rows(
    entries: Sequence[NewProject], ids: Sequence[int], serials: Sequence[int], guards: Sequence[str | None]
) -> Iterator[tuple[object, ...]]:
    now = bulk.moment(clock.now())
    for entry, key, serial, guard in zip(entries, ids, serials, guards, strict=True):
        size = sum(file.size for release in entry.releases for file in release.files)
        name = normalize(entry.name)
        yield key, bulk.uid(uuid.uuid4()), entry.name, name, guard, now, "active", "", serial, size


def _skeletons(entries: Sequence[NewProject]) -> list[str | None]:
    """What exists elsewhere may look alike; the oldest of a kind keeps the skeleton that guards against new ones."""
    wanted = [skeleton(entry.name) for entry in entries]
    taken: set[str | None] = set()
    for start in range(0, len(wanted), 500):
        found = Project.objects.filter(skeleton__in=wanted[start : start + 500])
        taken.update(found.values_list("skeleton", flat=True))
    guards: list[str | None] = []
    for text in wanted:
        guards.append(None if text in taken else text)
        taken.add(text)
    return guards


def _release_rows(
    entries: Sequence[NewProject], projects: Sequence[int], ids: Sequence[int]
) -> Iterator[tuple[NewRelease, bytes, tuple[object, ...]]]:
    """Each new release with its sort key and its row."""
    numbers = iter(ids)
    for entry, project in zip(entries, projects, strict=True):
        for new in entry.releases:
            version = parse(new.version)
            key = sort_key(version)
            known = new.metadata or {"name": entry.name, "version": new.version, "summary": entry.summary}
            created = bulk.moment(new.created or clock.now())
            row = (
                *(next(numbers), project, new.version, canonical(version), key, is_prerelease(version), created),
                *(entry.summary[:512], new.requires_python, bulk.jsonb(known), "[]", False, "", False, ""),
            )
            yield new, key, row


class _Files:
    """The rows of the files, gathered while the releases go by."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []

    def gathered(
        self, releases: Iterable[tuple[NewRelease, bytes, tuple[object, ...]]]
    ) -> Iterator[tuple[object, ...]]:
        for new, key, row in releases:
            self.rows += [_file_row(file, key, row) for file in new.files]
            yield row


def _file_row(new: NewFile, key: bytes, release: tuple[object, ...]) -> tuple[object, ...]:
    b2 = new.blake2_256
    return (
        *(release[0], release[1], new.filename, new.packagetype, new.python_version, new.size),
        *(new.md5, new.sha256, b2, f"{b2[:2]}/{b2[2:4]}/{b2[4:]}/{new.filename}", new.metadata_sha256),
        *(file_sort_key(key, new.filename), "", "[]", ""),
        bulk.moment(new.uploaded) if new.uploaded else release[6],
    )
