"""Many projects at once: the path for imports, from rows that are known to be good.

Writes projects, releases, files, file names and the journal in few statements.  Nothing is announced: whoever loads
in bulk builds the documents in bulk as well (``index.bulk``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from packhouse.base import clock
from packhouse.documents.actions import serial_lock
from packhouse.projects.models import File, Filename, JournalEntry, Project, Release
from packhouse.specs.filenames import file_sort_key
from packhouse.specs.names import normalize, skeleton
from packhouse.specs.versions import canonical, is_prerelease, parse, sort_key

_ROWS = 2000


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

    The serial lock is taken here and held until the transaction ends.  Raises ``IntegrityError`` when a name, a file
    name or a content is taken, and ``Refused`` for a version that is none.
    """
    projects = [_project(entry) for entry in entries]
    _leave_skeletons_to_the_first(projects)
    Project.objects.bulk_create(projects, batch_size=_ROWS)
    pairs = [(project, entry) for project, entry in zip(projects, entries, strict=True)]
    releases = [_release(project, entry, new) for project, entry in pairs for new in entry.releases]
    Release.objects.bulk_create(releases, batch_size=_ROWS)
    every = (new for _, entry in pairs for new in entry.releases)
    files = [_file(release, file) for release, new in zip(releases, every, strict=True) for file in new.files]
    Filename.objects.bulk_create([Filename(filename=file.filename) for file in files], batch_size=_ROWS)
    File.objects.bulk_create(files, batch_size=_ROWS)
    _write_journal(projects)
    return [project.pk for project in projects]


def _leave_skeletons_to_the_first(projects: Iterable[Project]) -> None:
    """What exists elsewhere may look alike; the oldest of a kind keeps the skeleton that guards against new ones."""
    wanted = [project.skeleton for project in projects]
    taken: set[str | None] = set()
    for start in range(0, len(wanted), 500):
        found = Project.objects.filter(skeleton__in=wanted[start : start + 500])
        taken.update(found.values_list("skeleton", flat=True))
    for project in projects:
        if project.skeleton in taken:
            project.skeleton = None
        taken.add(project.skeleton)


def _write_journal(projects: Iterable[Project]) -> None:
    serial_lock()
    projects = list(projects)
    entries = [JournalEntry(name=project.name, action="create") for project in projects]
    for project, entry in zip(projects, JournalEntry.objects.bulk_create(entries, batch_size=_ROWS), strict=True):
        project.last_serial = entry.pk
    Project.objects.bulk_update(projects, ["last_serial"], batch_size=500)


def _project(entry: NewProject) -> Project:
    total = sum(file.size for release in entry.releases for file in release.files)
    return Project(
        name=entry.name, normalized_name=normalize(entry.name), skeleton=skeleton(entry.name), total_size=total
    )


def _release(project: Project, entry: NewProject, new: NewRelease) -> Release:
    version = parse(new.version)
    return Release(
        project=project,
        version=new.version,
        canonical_version=canonical(version),
        sort_key=sort_key(version),
        is_prerelease=is_prerelease(version),
        summary=entry.summary[:512],
        requires_python=new.requires_python,
        metadata=new.metadata or {"name": entry.name, "version": new.version, "summary": entry.summary},
        created=new.created or clock.now(),
    )


def _file(release: Release, new: NewFile) -> File:
    b2 = new.blake2_256
    return File(
        project_id=release.project_id,
        release=release,
        filename=new.filename,
        packagetype=new.packagetype,
        python_version=new.python_version,
        size=new.size,
        md5=new.md5,
        sha256=new.sha256,
        blake2_256=b2,
        path=f"{b2[:2]}/{b2[2:4]}/{b2[4:]}/{new.filename}",
        metadata_sha256=new.metadata_sha256,
        sort_key=file_sort_key(bytes(release.sort_key), new.filename),
        uploaded=new.uploaded or clock.now(),
    )
