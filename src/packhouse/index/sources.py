"""What each document consists of, asked from the rows piece by piece: the source side of ``documents.actions``."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings

from packhouse.documents import edition
from packhouse.documents.actions import Item, Shell
from packhouse.index import json_api, rows
from packhouse.index.rows import FileRow, ProjectRow, ReleaseRow, Shelf
from packhouse.organizations.queries import names_of
from packhouse.specs import simple_api
from packhouse.specs.simple_api import Frame, ListedFile

INDEX = edition.INDEX
WITHHELD = edition.WITHHELD
FILES_IN_SEGMENT = 24
PROJECTS_IN_SEGMENT = 256


def simple_key(normalized_name: str) -> str:
    return f"simple/{normalized_name}"


def project_key(normalized_name: str) -> str:
    return f"project/{normalized_name}"


def release_key(normalized_name: str, canonical_version: str) -> str:
    return f"release/{normalized_name}/{canonical_version}"


def public_url() -> str:
    return str(settings.PACKHOUSE.public_url).rstrip("/")


class Files:
    """What has files for items."""

    __slots__ = ()

    @property
    def segment_weight(self) -> int:
        return FILES_IN_SEGMENT


@dataclass(frozen=True, slots=True)
class IndexSource:
    """The list of all visible projects, by normalised name."""

    @property
    def key(self) -> str:
        return INDEX

    @property
    def segment_weight(self) -> int:
        return PROJECTS_IN_SEGMENT

    def shell(self) -> Shell:
        serial = rows.newest_serial()
        return framed(simple_api.index_frame(serial), serial)

    def items(self, first: bytes, before: bytes | None) -> Iterator[Item]:
        return map(index_item, rows.projects_between(first, before))


@dataclass(frozen=True, slots=True)
class SimpleSource(Files):
    """A project's simple page; of a small project all rows are on a *shelf* already.

    The listed *versions*, ascending, may be known: in a large project it takes long to ask for them.
    """

    project: ProjectRow
    shelf: Shelf | None = None
    versions: Sequence[str] | None = None

    @property
    def key(self) -> str:
        return simple_key(self.project.normalized_name)

    def shell(self) -> Shell:
        return simple_shell(self.project, self._versions() if self.project.visible else ())

    def _versions(self) -> Sequence[str]:
        if self.versions is not None:
            return self.versions
        return self.shelf.listed_versions() if self.shelf else rows.listed_versions(self.project.id)

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]:
        if not self.project.visible:
            return ()
        base = public_url()
        name = self.project.normalized_name
        return (simple_item(file, name, base) for file in self._files(first, before))

    def _files(self, first: bytes, before: bytes | None) -> Iterator[FileRow]:
        if self.shelf:
            return self.shelf.files_between(first, before)
        return rows.files_between(self.project.id, first, before)


@dataclass(frozen=True, slots=True)
class ProjectSource(Files):
    """A project's document of the JSON API, about its *latest* release."""

    project: ProjectRow
    latest: ReleaseRow
    shelf: Shelf | None = None

    @property
    def key(self) -> str:
        return project_key(self.project.normalized_name)

    def shell(self) -> Shell:
        base = public_url()
        roles = [(role, user) for _, role, user in rows.roles([self.project.id])]
        about = json_api.info(self.project, self.latest, base)
        owners = Owners(roles, organization_of(self.project))
        return project_shell(self.project, about, owners, _urls(self.latest, self.shelf, base), _known(self.latest))

    def items(self, first: bytes, before: bytes | None) -> Iterator[Item]:
        releases = self._versions(first, before)
        files = files_by_release(self._files(first, before)) if releases else {}
        base = public_url()
        listed = ((version, files.get(release_id, ())) for release_id, version in releases)
        return (release_item(version, len(some), json_api.urls(some, base)) for version, some in listed)

    def _versions(self, first: bytes, before: bytes | None) -> list[tuple[int, str]]:
        if self.shelf:
            return self.shelf.versions_between(first, before)
        return rows.versions_between(self.project.id, first, before)

    def _files(self, first: bytes, before: bytes | None) -> Iterable[FileRow]:
        """The files of the releases whose version, as text, is in the range; in any order."""
        return self.shelf.files if self.shelf else rows.files_of_versions(self.project.id, first, before)


@dataclass(frozen=True, slots=True)
class ReleaseSource(Files):
    """A release's document of the JSON API."""

    project: ProjectRow
    release: ReleaseRow
    shelf: Shelf | None = None

    @property
    def key(self) -> str:
        return release_key(self.project.normalized_name, self.release.canonical_version)

    def shell(self) -> Shell:
        base = public_url()
        about = json_api.info(self.project, self.release, base)
        return release_shell(about, _urls(self.release, self.shelf, base), _known(self.release))

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]:
        return ()


@dataclass(frozen=True, slots=True)
class WithheldSource(Files):
    """The places of all files in quarantine, which the data plane gives to nobody: a JSON array, always there."""

    @property
    def key(self) -> str:
        return WITHHELD

    def shell(self) -> Shell:
        return Shell(0, json_head=simple_api.json_bytes(simple_api.dump(rows.withheld_places())))

    def items(self, first: bytes, before: bytes | None) -> Iterable[Item]:
        return ()


def framed(frame: Frame, serial: int) -> Shell:
    return Shell(serial, frame.html_head, frame.html_tail, frame.json_head, frame.json_tail)


def index_item(project: ProjectRow) -> Item:
    return Item(
        project.normalized_name.encode(),
        simple_api.index_html_item(project.name, project.normalized_name),
        simple_api.index_json_item(project.name, project.serial),
    )


def simple_shell(project: ProjectRow, versions: Sequence[str]) -> Shell:
    frame = simple_api.detail_frame(
        project.normalized_name, status=project.status, serial=project.serial, versions=versions
    )
    return framed(frame, project.serial)


def simple_item(file: FileRow, name: str, base: str) -> Item:
    """The line of *file*, of the project whose normalised *name* this is."""
    listed = ListedFile(
        file.filename,
        simple_api.file_url(base, file.path),
        file.sha256,
        file.size,
        file.uploaded,
        file.requires_python,
        file.yanked,
        file.yanked_reason,
        file.metadata_sha256,
        simple_api.provenance_url(base, name, file.version, file.filename) if file.provenance else "",
    )
    return Item(bytes(file.sort_key), simple_api.html_item(listed), simple_api.json_item(listed))


def _urls(release: ReleaseRow, shelf: Shelf | None, base: str) -> bytes:
    files = rows.files_of(release.id) if shelf is None else shelf.files_of(release.id)
    return json_api.urls(files, base)


def _known(release: ReleaseRow) -> bytes:
    return json_api.vulnerabilities(rows.affecting(release), release.vulnerabilities)


class Owners(NamedTuple):
    """Who a project belongs to: role and user name, in order, and the name of its organization."""

    roles: Sequence[tuple[str, str]] = ()
    organization: str | None = None


def organization_of(project: ProjectRow) -> str | None:
    """The name of the organization that owns *project*.  Asks nothing where none does."""
    number = project.organization_id
    return None if number is None else names_of([number]).get(number)


def project_shell(project: ProjectRow, about: bytes, owners: Owners, urls: bytes, known: bytes) -> Shell:
    """*about* is the rendered ``info`` of the latest release, *urls* and *known* its files and its vulnerabilities as
    ``json_api`` renders them."""
    shared = json_api.shared(project.serial, *owners)
    head = json_api.project_head(about, shared)
    return Shell(project.serial, json_head=head, json_tail=json_api.project_tail(urls, known), shared=shared)


def release_item(version: str, files: int, urls: bytes) -> Item:
    """The member for a *version* of so many *files*, rendered as *urls*."""
    return Item(version.encode(), json=json_api.release_member(version, urls), weight=max(files, 1))


def release_shell(about: bytes, urls: bytes, known: bytes) -> Shell:
    """The serial stays 0: readers take that of the project's document, and the release's changes only with itself."""
    return Shell(0, json_head=json_api.release_head(about), json_tail=json_api.release_tail(urls, known))


def files_by_release(files: Iterable[FileRow]) -> dict[int, list[FileRow]]:
    grouped: dict[int, list[FileRow]] = {}
    for file in files:
        grouped.setdefault(file.release_id, []).append(file)
    return grouped
