"""The rows that documents are made from: slim tuples with just the needed columns, in byte order.

Names and versions are ordered as bytes on every database, because documents are; PostgreSQL's text order is the
locale's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from django.db import connection
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Collate

from packhouse.base.statements import Asked, Question
from packhouse.index.models import Doomed
from packhouse.integrations.models import Vulnerability
from packhouse.projects.models import File, JournalEntry, Project, Release, Role

if TYPE_CHECKING:
    from django_stubs_ext import ValuesQuerySet

QUARANTINED = Project.Status.QUARANTINED.value


class ProjectRow(NamedTuple):
    """A project: ``name`` as displayed, its status and its serial."""

    id: int
    name: str
    normalized_name: str
    status: str
    serial: int
    organization_id: int | None = None

    @property
    def visible(self) -> bool:
        return self.status != QUARANTINED


class FileRow(NamedTuple):
    """A listed file with what its release says about it."""

    project_id: int
    release_id: int
    sort_key: bytes
    filename: str
    path: str
    size: int
    uploaded: datetime
    md5: str
    sha256: str
    blake2_256: str
    metadata_sha256: str
    packagetype: str
    python_version: str
    comment: str
    requires_python: str
    yanked: bool
    yanked_reason: str
    version: str
    provenance: int | None
    """The file's number once more where it has provenance."""


class ReleaseRow(NamedTuple):
    """A release that is not quarantined, with all that the JSON API's ``info`` needs."""

    project_id: int
    id: int
    version: str
    canonical_version: str
    sort_key: bytes
    is_prerelease: bool
    yanked: bool
    yanked_reason: str
    requires_python: str
    summary: str
    metadata: dict[str, Any]
    vulnerabilities: list[int] | None
    description: str | None
    description_content_type: str | None

    @property
    def rank(self) -> tuple[bool, bool, bytes]:
        """The latest release has the greatest rank: not yanked before yanked, final before pre-release, newer first."""
        return (not self.yanked, not self.is_prerelease, bytes(self.sort_key))


class VulnerabilityRow(NamedTuple):
    """What is known of a vulnerability, as the JSON API says it."""

    id: int
    aliases: list[str]
    details: str
    fixed_in: list[str]
    identifier: str
    link: str
    source: str
    summary: str
    withdrawn: datetime | None


class VersionRow(NamedTuple):
    """A release that is not quarantined: its id, its version as stored, and what orders it."""

    id: int
    version: str
    sort_key: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that is listed of a small project, asked for once: files by version and name, versions ascending."""

    files: Sequence[FileRow]
    versions: Sequence[VersionRow]

    def files_between(self, first: bytes, before: bytes | None) -> Iterator[FileRow]:
        return (file for file in self.files if _lies(bytes(file.sort_key), first, before))

    def files_of(self, release_id: int) -> list[FileRow]:
        return [file for file in self.files if file.release_id == release_id]

    def listed_versions(self) -> list[str]:
        with_files = {file.release_id for file in self.files}
        return [row.version for row in self.versions if row.id in with_files]

    def versions_between(self, first: bytes, before: bytes | None) -> list[tuple[int, str]]:
        """As ``rows.versions_between``: by the text of the version."""
        chosen = [(row.version.encode(), row.id) for row in self.versions]
        return [(key, text.decode()) for text, key in sorted(chosen) if _lies(text, first, before)]


def _lies(key: bytes, first: bytes, before: bytes | None) -> bool:
    return key >= first and (before is None or key < before)


def shelf(project_id: int) -> Shelf:
    """What is listed of a project that has few files; two queries."""
    versions = map(VersionRow._make, _VERSIONS.rows(project_id))
    return Shelf(list(map(FileRow._make, _FILES.rows(project_id))), list(versions))


def asked_of_project(project_id: int) -> Iterator[Asked]:
    """What is asked of a project for any change of it: `project`, `latest_release`, `roles` and `newest_serial`."""
    yield _PROJECT_BY_ID, project_id
    yield _NEWEST_FINAL, project_id
    yield _ROLES, project_id
    yield (_NEWEST,)


def asked_of_shelf(project_id: int) -> Iterator[Asked]:
    """What `shelf` asks."""
    yield _VERSIONS, project_id
    yield _FILES, project_id


def asked_between(first: bytes, before: bytes | None) -> Iterator[Asked]:
    """What `projects_between` asks first."""
    if before is None:
        yield _PROJECTS_FROM, first.decode()
    else:
        yield _PROJECTS_BETWEEN, first.decode(), before.decode()


def asked_release(release_id: int) -> Asked:
    """What `release` asks."""
    return _RELEASE_BY_ID, release_id


def asked_files_of(release_id: int) -> Asked:
    """What `files_of` asks."""
    return _FILES_OF, release_id


def asked_files_between(project_id: int, first: bytes, before: bytes | None) -> Asked:
    """What `files_between` asks."""
    return (_FILES_FROM, project_id, first) if before is None else (_FILES_BETWEEN, project_id, first, before)


def asked_of_versions(project_id: int, first: bytes, before: bytes | None) -> Iterator[Asked]:
    """What `versions_between` and `files_of_versions` ask."""
    if before is None:
        yield _VERSIONS_FROM, project_id, first.decode()
        yield _FILES_OF_VERSIONS_FROM, project_id, first.decode()
    else:
        yield _VERSIONS_BETWEEN, project_id, first.decode(), before.decode()
        yield _FILES_OF_VERSIONS_BETWEEN, project_id, first.decode(), before.decode()


PROJECTS_ON_PAGE: Final = 1000
_PROJECT = ("id", "name", "normalized_name", "status", "last_serial", "organization_id")
_FILE = (
    *("project_id", "release_id", "sort_key", "filename", "path", "size", "uploaded", "md5", "sha256", "blake2_256"),
    *("metadata_sha256", "packagetype", "python_version", "comment"),
    *("release__requires_python", "release__yanked", "release__yanked_reason", "release__version", "provenance"),
)
_RELEASE = (
    *("project_id", "id", "version", "canonical_version", "sort_key", "is_prerelease", "yanked", "yanked_reason"),
    *("requires_python", "summary", "metadata", "vulnerabilities", "description__raw", "description__content_type"),
)


def as_bytes(field: str) -> F | Collate:
    """*field* ordered and compared as the bytes of its UTF-8."""
    return Collate(field, "C") if connection.vendor == "postgresql" else F(field)


def project(project_id: int) -> ProjectRow | None:
    found = _PROJECT_BY_ID.first(project_id)
    return None if found is None else ProjectRow._make(found)


def projects(chosen: QuerySet[Project]) -> Iterator[ProjectRow]:
    return map(ProjectRow._make, chosen.values_list(*_PROJECT))


def projects_between(first: bytes, before: bytes | None) -> Iterator[ProjectRow]:
    """Visible projects whose normalised name is in the range, in its order; without an end, a page at a time."""
    if before is not None:
        yield from map(ProjectRow._make, _PROJECTS_BETWEEN.rows(first.decode(), before.decode()))
        return
    page = [ProjectRow._make(row) for row in _PROJECTS_FROM.rows(first.decode())]
    while page:
        yield from page
        full = len(page) == PROJECTS_ON_PAGE
        page = [ProjectRow._make(row) for row in _PROJECTS_AFTER.rows(page[-1].normalized_name)] if full else []


def _visible(**bounds: str) -> "ValuesQuerySet[Project, tuple[Any, ...]]":
    """Visible projects by name, within *bounds* of ``k``, the name as bytes."""
    chosen = Project.objects.alias(k=as_bytes("normalized_name")).filter(**bounds)
    return chosen.exclude(status=QUARANTINED).order_by("k").values_list(*_PROJECT)


def withheld_places() -> list[str]:
    """Where the files in quarantine are, and those deleted there: the folders of their keys, in order."""
    projects = Project.objects.filter(status=QUARANTINED).values("pk")
    releases = Release.objects.filter(quarantined=True).values("pk")
    doomed = Doomed.objects.filter(withheld=True)
    chosen = (File.objects.filter(project__in=projects), File.objects.filter(release__in=releases), doomed)
    return sorted({path.rpartition("/")[0] for files in chosen for path in files.values_list("path", flat=True)})


def newest_serial() -> int:
    """The id of the newest journal entry of all; 0 when there is none."""
    found = _NEWEST.first()
    return found[0] if found else 0


def files(**chosen: Any) -> Iterator[FileRow]:
    """Listed files by project, then version, then name."""
    return map(FileRow._make, _listed_files(**chosen))


def files_of(release_id: int) -> Iterator[FileRow]:
    """The listed files of a release."""
    return map(FileRow._make, _FILES_OF.rows(release_id))


def files_between(project_id: int, first: bytes, before: bytes | None) -> Iterator[FileRow]:
    """The listed files of a project with ``first <= sort key < before``."""
    if before is None:
        return map(FileRow._make, _FILES_FROM.rows(project_id, first))
    return map(FileRow._make, _FILES_BETWEEN.rows(project_id, first, before))


def _listed_files(**chosen: Any) -> "ValuesQuerySet[File, tuple[Any, ...]]":
    listed = File.objects.filter(release__quarantined=False, **chosen).order_by("project_id", "sort_key")
    return listed.values_list(*_FILE)


def files_of_versions(project_id: int, first: bytes, before: bytes | None) -> Iterator[FileRow]:
    """The listed files of the releases whose version, as text, is in the range; in no order."""
    if before is None:
        return map(FileRow._make, _FILES_OF_VERSIONS_FROM.rows(project_id, first.decode()))
    return map(FileRow._make, _FILES_OF_VERSIONS_BETWEEN.rows(project_id, first.decode(), before.decode()))


def _files_of_versions(project: int, **bounds: str) -> "ValuesQuerySet[File, tuple[Any, ...]]":
    # By the release's project, not the file's: from releases to their files is the shorter way.
    chosen = File.objects.alias(k=as_bytes("release__version")).filter(release__project_id=project, **bounds)
    return chosen.filter(release__quarantined=False).order_by().values_list(*_FILE)


def file_keys(release_id: int) -> list[bytes]:
    """The sort keys of a release's files."""
    return list(map(bytes, File.objects.filter(release_id=release_id).values_list("sort_key", flat=True)))


def listed_versions(project_id: int) -> list[str]:
    """The versions that have files, ascending."""
    return [version for (version,) in _WITH_FILES.rows(project_id)]


def name(project_id: int) -> str | None:
    """The normalised name of a project."""
    return Project.objects.filter(pk=project_id).values_list("normalized_name", flat=True).first()


def version(release_id: int) -> str | None:
    """The version of a release as stored, quarantined or not."""
    return Release.objects.filter(pk=release_id).values_list("version", flat=True).first()


def releases(**chosen: Any) -> Iterator[ReleaseRow]:
    """Releases by project, then version, streaming: descriptions are large."""
    listed = Release.objects.filter(quarantined=False, **chosen).order_by("project_id", "sort_key")
    return map(ReleaseRow._make, listed.values_list(*_RELEASE).iterator(chunk_size=100))


def release(release_id: int) -> ReleaseRow | None:
    found = _RELEASE_BY_ID.first(release_id)
    return None if found is None else ReleaseRow._make(found)


def latest_release(project_id: int) -> ReleaseRow | None:
    """The release that a project shows; see `ReleaseRow.rank`."""
    found = _NEWEST_FINAL.first(project_id) or _LATEST.first(project_id)
    return None if found is None else ReleaseRow._make(found)


def versions_between(project_id: int, first: bytes, before: bytes | None) -> list[tuple[int, str]]:
    """Id and version of the releases whose version, as text, is in the range, in its order."""
    if before is None:
        return _VERSIONS_FROM.rows(project_id, first.decode())
    return _VERSIONS_BETWEEN.rows(project_id, first.decode(), before.decode())


def _versions_within(project: int, **bounds: str) -> "ValuesQuerySet[Release, tuple[int, str]]":
    chosen = Release.objects.alias(k=as_bytes("version")).filter(project_id=project, quarantined=False, **bounds)
    return chosen.order_by("k").values_list("id", "version")


def vulnerabilities(**chosen: Any) -> dict[int, VulnerabilityRow]:
    """Vulnerabilities by their numbers."""
    found = Vulnerability.objects.filter(**chosen).values_list(*VulnerabilityRow._fields)
    return {row.id: row for row in map(VulnerabilityRow._make, found)}


def affecting(release: ReleaseRow) -> dict[int, VulnerabilityRow]:
    """Those that *release* is marked with.  Asks nothing for a release without a mark."""
    return vulnerabilities(pk__in=release.vulnerabilities) if release.vulnerabilities else {}


def roles(project_ids: Iterable[int]) -> Iterator[tuple[int, str, str]]:
    """Project id, role name and user name: owners before maintainers, then by user name; without deleted accounts."""
    projects = list(project_ids)
    found: Iterable[Any] = _ROLES.rows(*projects) if len(projects) == 1 else _held(projects)
    yield from sorted(found, key=lambda role: (role[0], role[1] != Role.Name.OWNER, role[2]))


def _held(projects: list[int]) -> "ValuesQuerySet[Role, tuple[int, str, str]]":
    held = Role.objects.filter(project_id__in=projects, user__is_active=True)
    return held.values_list("project_id", "name", "user__username")


# What every upload asks.

_PROJECT_BY_ID = Question(lambda key: Project.objects.filter(pk=key).values_list(*_PROJECT), int)
_VERSIONS = Question(
    lambda project: (
        Release.objects.filter(project_id=project, quarantined=False)
        .order_by("sort_key")
        .values_list(*VersionRow._fields)
    ),
    int,
)
_FILES = Question(lambda project: _listed_files(project_id=project), int)
_FILES_OF = Question(lambda release: _listed_files(release_id=release), int)
_FILES_FROM = Question(lambda project, first: _listed_files(project_id=project, sort_key__gte=first), int, bytes)
_FILES_BETWEEN = Question(
    lambda project, first, before: _listed_files(project_id=project, sort_key__gte=first, sort_key__lt=before),
    int,
    bytes,
    bytes,
)
_FILES_OF_VERSIONS_FROM = Question(lambda project, first: _files_of_versions(project, k__gte=first), int, str)
_FILES_OF_VERSIONS_BETWEEN = Question(
    lambda project, first, before: _files_of_versions(project, k__gte=first, k__lt=before), int, str, str
)
_PROJECTS_BETWEEN = Question(lambda first, before: _visible(k__gte=first, k__lt=before), str, str)
_PROJECTS_FROM = Question(lambda first: _visible(k__gte=first)[:PROJECTS_ON_PAGE], str)
_PROJECTS_AFTER = Question(lambda last: _visible(k__gt=last)[:PROJECTS_ON_PAGE], str)
_VERSIONS_FROM = Question(lambda project, first: _versions_within(project, k__gte=first), int, str)
_VERSIONS_BETWEEN = Question(
    lambda project, first, before: _versions_within(project, k__gte=first, k__lt=before), int, str, str
)
_WITH_FILES = Question(
    lambda project: (
        Release.objects.filter(
            Exists(File.objects.filter(release_id=OuterRef("pk"))), project_id=project, quarantined=False
        )
        .order_by("sort_key")
        .values_list("version")
    ),
    int,
)
_RELEASE_BY_ID = Question(
    lambda release: Release.objects.filter(pk=release, quarantined=False).values_list(*_RELEASE), int
)
# Nearly every project has a final release that is not yanked: found in the order of versions without a look at all.
_NEWEST_FINAL = Question(
    lambda project: (
        Release.objects.filter(project_id=project, quarantined=False, yanked=False, is_prerelease=False)
        .order_by("-sort_key")
        .values_list(*_RELEASE)[:1]
    ),
    int,
)
_LATEST = Question(
    lambda project: (
        Release.objects.filter(project_id=project, quarantined=False)
        .order_by("yanked", "is_prerelease", "-sort_key")
        .values_list(*_RELEASE)[:1]
    ),
    int,
)
_ROLES = Question(lambda project: _held([project]), int)
_NEWEST = Question(lambda: JournalEntry.objects.order_by("-id").values_list("id")[:1])
