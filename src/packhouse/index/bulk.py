"""The documents of many projects: a few queries for hundreds of projects, rendered as the rows stream by.

The work for each project is the same as in ``sources``, from rows that were asked for together.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from packhouse.documents.actions import Item, Shell, Source
from packhouse.documents.upkeep import drop_many, rebuild_many
from packhouse.index import json_api, provenance, rows
from packhouse.index.rows import FileRow, ProjectRow, ReleaseRow, VulnerabilityRow
from packhouse.index.sources import (
    Files,
    Owners,
    files_by_release,
    project_key,
    project_shell,
    public_url,
    release_item,
    release_key,
    release_shell,
    simple_item,
    simple_key,
    simple_shell,
)
from packhouse.organizations.queries import names_of
from packhouse.projects.models import Project, Release

PROJECTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Prepared(Files):
    """A document that is rendered already; a ``Source``."""

    key: str
    made_shell: Shell
    made_items: Sequence[Item] = ()

    def shell(self) -> Shell:
        return self.made_shell

    def items(self, first: bytes, before: bytes | None) -> Sequence[Item]:
        start = bisect_left(self.made_items, first, key=_item_key)
        end = None if before is None else bisect_left(self.made_items, before, key=_item_key)
        return self.made_items[start:end]


def _item_key(item: Item) -> bytes:
    return item.key


def rebuild_projects(ids: Iterable[int]) -> int:
    """Write all documents of the projects *ids* anew and drop those they should not have; returns how many exist.

    Runs in the caller's transaction, under the serial lock, and leaves the index document to the caller.
    """
    count = 0
    for some in batches(ids):
        drop_many(surplus(some))
        count += rebuild_many(documents(some))
        rebuild_many(provenance.of_projects(some))
    return count


def rebuild_releases(project_id: int, ids: Collection[int]) -> None:
    """Write the documents of the releases *ids* of a visible project anew, under the caller's serial lock."""
    found = [one for one in rows.projects(Project.objects.filter(pk=project_id)) if one.visible]
    for project in found:
        files = list(rows.files(release_id__in=ids))
        rendering = _Rendering(project, files, Owners(), public_url(), rows.vulnerabilities(project_id=project_id))
        rebuild_many(rendering.releases(rows.releases(pk__in=ids)))


def batches(ids: Iterable[int]) -> Iterator[list[int]]:
    remaining = iter(ids)
    while some := list(islice(remaining, PROJECTS_AT_ONCE)):
        yield some


def documents(ids: Sequence[int]) -> Iterator[Source]:
    """Every document of the projects *ids* (at most some hundreds), rendered as it is asked for."""
    for _, rendered in _rendered(ids):
        yield from rendered


def documents_by_project(ids: Sequence[int]) -> Iterator[tuple[int, list[Source]]]:
    """The same, project by project."""
    for project_id, rendered in _rendered(ids):
        yield project_id, list(rendered)


def _rendered(ids: Sequence[int]) -> Iterator[tuple[int, Iterator[Source]]]:
    chosen = sorted(rows.projects(Project.objects.filter(pk__in=ids)), key=lambda project: project.id)
    visible = [project.id for project in chosen if project.visible]
    files = {key: list(group) for key, group in groupby(rows.files(project_id__in=visible), key=lambda row: row[0])}
    roles: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for project_id, role, user in rows.roles(visible):
        roles[project_id].append((role, user))
    known = rows.vulnerabilities(project_id__in=visible)
    named = names_of(project.organization_id for project in chosen if project.organization_id is not None)
    base = public_url()
    for project, releases in _with_releases(chosen, rows.releases(project_id__in=visible)):
        owners = Owners(roles[project.id], named.get(project.organization_id or 0))
        yield project.id, rendered(project, releases, files.get(project.id, ()), owners, base, known)


def rendered(
    project: ProjectRow,
    releases: Iterable[ReleaseRow],
    files: Sequence[FileRow],
    owners: Owners,
    base: str,
    known: Mapping[int, VulnerabilityRow],
) -> Iterator[Source]:
    """All documents of *project*; releases and files by version, as ``rows`` has them; vulnerabilities by number.

    Asks the database nothing.
    """
    return _Rendering(project, files, owners, base, known).documents(releases)


def _with_releases(
    chosen: Iterable[ProjectRow], releases: Iterable[ReleaseRow]
) -> Iterator[tuple[ProjectRow, Iterable[ReleaseRow]]]:
    """Each project with its releases; both come by project id, and each group must be used up before the next."""
    groups = groupby(releases, key=lambda release: release.project_id)
    project_id, group = next(groups, (None, iter(())))
    for project in chosen:
        if project.id != project_id:
            yield project, ()
            continue
        yield project, group
        project_id, group = next(groups, (None, iter(())))


def surplus(ids: Sequence[int]) -> list[str]:
    """Keys of documents that quarantine or emptiness forbids the projects *ids*, whether or not they are stored."""
    hidden = Release.objects.filter(project_id__in=ids, project__status=rows.QUARANTINED) | Release.objects.filter(
        project_id__in=ids, quarantined=True
    )
    releases = hidden.values_list("project__normalized_name", "canonical_version")
    listed = set(Release.objects.filter(project_id__in=ids, quarantined=False).values_list("project_id", flat=True))
    empty = [
        project_key(project.normalized_name)
        for project in rows.projects(Project.objects.filter(pk__in=ids))
        if not project.visible or project.id not in listed
    ]
    return [release_key(name, version) for name, version in releases] + empty


@dataclass(slots=True)
class _Rendering:
    """One project while its releases stream by."""

    project: ProjectRow
    files: Sequence[FileRow]
    owners: Owners
    base: str
    known: Mapping[int, VulnerabilityRow]
    versions: list[str] = field(default_factory=list)
    members: list[Item] = field(default_factory=list)
    latest: ReleaseRow | None = None
    latest_info: bytes = b""
    latest_urls: bytes = b""
    latest_known: bytes = b""

    def documents(self, releases: Iterable[ReleaseRow]) -> Iterator[Source]:
        yield from self.releases(releases)
        yield self._simple()
        if self.latest is not None:
            yield self._project()

    def releases(self, releases: Iterable[ReleaseRow]) -> Iterator[Source]:
        grouped = files_by_release(self.files)
        for release in releases:
            yield self._release(release, grouped.get(release.id, []))

    def _release(self, release: ReleaseRow, files: list[FileRow]) -> Prepared:
        about = json_api.info(self.project, release, self.base)
        if files:
            self.versions.append(release.version)
        urls = json_api.urls(files, self.base)
        known = json_api.vulnerabilities(self.known, release.vulnerabilities)
        self.members.append(release_item(release.version, len(files), urls))
        if self.latest is None or release.rank > self.latest.rank:
            self.latest = release._replace(metadata={}, description=None)
            self.latest_info, self.latest_urls, self.latest_known = about, urls, known
        key = release_key(self.project.normalized_name, release.canonical_version)
        return Prepared(key, release_shell(about, urls, known))

    def _simple(self) -> Prepared:
        name = self.project.normalized_name
        items = [simple_item(file, name, self.base) for file in self.files]
        return Prepared(simple_key(name), simple_shell(self.project, self.versions), items)

    def _project(self) -> Prepared:
        shell = project_shell(self.project, self.latest_info, self.owners, self.latest_urls, self.latest_known)
        members = sorted(self.members, key=_item_key)
        return Prepared(project_key(self.project.normalized_name), shell, members)
