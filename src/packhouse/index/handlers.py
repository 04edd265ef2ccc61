"""Facts about projects → documents, in the writer's transaction, under the serial lock.

Each handler asks a number of questions that does not grow with the project, and rewrites the segments that the change
touches.  What changes everything (quarantine, a new spelling of the name) goes through ``bulk``.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.conf import settings

from packhouse.accounts import facts as people
from packhouse.attestations.facts import ProvenanceAdded
from packhouse.base import clock
from packhouse.base.statements import Asked, asked_ahead
from packhouse.documents.actions import (
    Writing,
    asked_bounds,
    asked_json_tail,
    asked_stored,
    drop,
    put,
    refresh,
    serial_lock,
)
from packhouse.documents.upkeep import drop_many, stored
from packhouse.flags.facts import FlagTurned
from packhouse.index import bulk, provenance, rows
from packhouse.index.models import Doomed
from packhouse.index.rows import QUARANTINED, ProjectRow, ReleaseRow, Shelf
from packhouse.index.sources import (
    INDEX,
    IndexSource,
    ProjectSource,
    ReleaseSource,
    SimpleSource,
    WithheldSource,
    project_key,
    release_key,
    simple_key,
)
from packhouse.projects import facts
from packhouse.projects.queries import projects_of
from packhouse.specs.simple_api import versions_in
from packhouse.specs.versions import with_version

MOST_ASKED_AHEAD: Final = 10
"""Files that have changed at once, up to which their neighbours are asked for together."""


def project_created(fact: facts.ProjectCreated) -> None:
    _refresh(fact.project_id)


def file_published(fact: facts.FilePublished) -> None:
    if fact.former_name:
        _rebuild(fact.project_id)
        return
    name = fact.normalized_name
    asked = [asked_stored(*_keys(name)), asked_bounds(INDEX, name.encode()), rows.asked_release(fact.release_id)]
    with asked_ahead([*asked, *rows.asked_of_project(fact.project_id)]):
        _refresh(fact.project_id, files=[fact.sort_key], release_id=fact.release_id, adds=True)


def provenance_added(fact: ProvenanceAdded) -> None:
    for source in provenance.of_files(file=fact.file_id):
        put(source)


def file_deleted(fact: facts.FileDeleted) -> None:
    _refresh(fact.project_id, files=[fact.sort_key], release_id=fact.release_id)
    _forget_files(fact.normalized_name, [fact.path])


def withheld_files_deleted(fact: facts.WithheldFilesDeleted) -> None:
    """They stay on the list of what is withheld, though the fact that follows takes their rows off it."""
    _doom(fact.normalized_name, fact.paths, due=clock.now(), withheld=True)


def release_yank_changed(fact: facts.ReleaseYanked | facts.ReleaseUnyanked) -> None:
    keys = rows.file_keys(fact.release_id)
    _refresh(fact.project_id, files=keys, release_id=fact.release_id, lists_the_same=True)


def release_quarantine_changed(fact: facts.ReleaseQuarantineChanged) -> None:
    if fact.quarantined:
        drop(release_key(fact.normalized_name, fact.canonical_version))
    _refresh(fact.project_id, files=rows.file_keys(fact.release_id), release_id=fact.release_id)
    withhold()


def releases_marked(fact: facts.ReleasesMarked) -> None:
    """The releases' own documents, and the project's, which shows what is known of the latest."""
    bulk.rebuild_releases(fact.project_id, fact.release_ids)
    _refresh(fact.project_id, lists_the_same=True)


def release_deleted(fact: facts.ReleaseDeleted) -> None:
    """The release's place among the others is forgotten with it, so its project's document is made anew."""
    drop(release_key(fact.normalized_name, fact.canonical_version))
    drop(project_key(fact.normalized_name))
    _refresh(fact.project_id, files=fact.files)
    _forget_files(fact.normalized_name, fact.paths)


def project_status_changed(fact: facts.ProjectStatusChanged) -> None:
    if fact.after == QUARANTINED:  # what was deleted a moment ago may be why
        Doomed.objects.filter(project=fact.normalized_name).update(withheld=True)
    if QUARANTINED in (fact.before, fact.after):
        _rebuild(fact.project_id)
    else:
        _refresh(fact.project_id, lists_the_same=True)


def role_changed(fact: facts.RoleChanged) -> None:
    _refresh(fact.project_id, lists_the_same=True)


def organization_changed(fact: facts.ProjectOrganizationChanged) -> None:
    _refresh(fact.project_id, lists_the_same=True)


def account_changed(fact: people.AccountDeleted | people.AccountRestored) -> None:
    """Documents name the collaborators whose accounts are not deleted."""
    held = list(projects_of(fact.user_id).order_by("pk").values_list("pk", flat=True))
    if held:
        serial_lock()
    for project_id in held:
        _refresh(project_id, lists_the_same=True)


def project_deleted(fact: facts.ProjectDeleted) -> None:
    name = fact.normalized_name
    releases = [release_key(name, version) for version in fact.canonical_versions]
    drop_many([simple_key(name), project_key(name), *releases])
    refresh(IndexSource(), [name.encode()])
    _forget_files(fact.normalized_name, fact.paths)


def flag_turned(fact: FlagTurned) -> None:
    if fact.name == provenance.CLOSING_FLAG:
        serial_lock()
        provenance.settle()


def _refresh(
    project_id: int,
    *,
    files: Iterable[bytes] = (),
    release_id: int | None = None,
    adds: bool = False,
    lists_the_same: bool = False,
) -> None:
    """Bring the documents of a project up to date where *files* (sort keys) and one release of it have changed.

    *adds* tells that files were added to that release and nothing else has happened, *lists_the_same* that the project
    has the versions it had.
    """
    project = rows.project(project_id)
    if project is None:  # deleted since, in this very transaction: the last fact has the last word
        return
    name = project.normalized_name
    with Writing(_keys(name)) as writing:
        is_small = writing.is_one_piece(simple_key(name))
        latest = rows.latest_release(project.id) if project.visible else None
        release, place = _changed_release(release_id, latest)
        touched = Touched(list(files), place, [one for one in (latest, release) if one])
        with asked_ahead(_asked_first(writing, project, touched)), asked_ahead(_asked_then(writing, project, touched)):
            shelf = rows.shelf(project.id) if is_small else None
            is_known = lists_the_same or (adds and release is not None)
            added = release.version if adds and release else None
            versions = _versions_with(writing, name, added) if is_known and shelf is None else None
            writing.refresh(SimpleSource(project, shelf, versions), touched.files)
            if project.visible:
                _refresh_json_api(writing, project, latest, (release, place), shelf)
            writing.refresh(IndexSource(), [name.encode()])
    if adds and release is None:  # into what is in quarantine
        withhold()


class Touched(NamedTuple):
    """What a change touches of a project: files by their sort keys, a release's place among the others, and the
    releases that are shown."""

    files: list[bytes]
    place: list[bytes]
    shown: list[ReleaseRow]

    @property
    def is_little(self) -> bool:
        return len(self.files) <= MOST_ASKED_AHEAD


def _asked_first(writing: Writing, project: ProjectRow, touched: Touched) -> Iterator[Asked]:
    """What is asked about the list of all projects; all there is of a small project; where in a large one it lies."""
    name = project.normalized_name
    yield from rows.asked_between(*writing.bounds(INDEX, name.encode()))
    if writing.is_one_piece(simple_key(name)):
        yield from rows.asked_of_shelf(project.id)
    elif project.visible and touched.is_little:
        yield from (asked_bounds(simple_key(name), key) for key in touched.files)
        yield from (asked_bounds(project_key(name), key) for key in touched.place)
        yield asked_json_tail(simple_key(name))
        yield from (rows.asked_files_of(release.id) for release in touched.shown)


def _asked_then(writing: Writing, project: ProjectRow, touched: Touched) -> Iterator[Asked]:
    """What is asked of a large project then: the neighbours of what has changed."""
    name = project.normalized_name
    if writing.is_one_piece(simple_key(name)) or not (project.visible and touched.is_little):
        return
    for key in touched.files:
        yield rows.asked_files_between(project.id, *writing.bounds(simple_key(name), key))
    for key in touched.place:
        yield from rows.asked_of_versions(project.id, *writing.bounds(project_key(name), key))


def _forget_files(name: str, paths: Iterable[str]) -> None:
    """The files with blobs at *paths*, which end in their names, are deleted from project *name*."""
    drop_many(provenance.provenance_key(path.rpartition("/")[2]) for path in paths)
    _doom(name, paths, due=clock.now() + timedelta(days=settings.PACKHOUSE.deleted_file_days), withheld=False)
    withhold()


def _doom(name: str, paths: Iterable[str], *, due: datetime, withheld: bool) -> None:
    """Have the blobs at *paths* leave the store; those of which that is known already leave it as it was said then."""
    doomed = [Doomed(path=path, project=name, due=due, withheld=withheld) for path in paths]
    Doomed.objects.bulk_create(doomed, batch_size=1000, ignore_conflicts=True)


def withhold() -> None:
    """Bring the list of files that nobody gets up to date: it is short, and seldom changes."""
    source = WithheldSource()
    found = stored([source.key]).get(source.key)
    if found is None or not found.matches(source):
        put(source)


def _keys(name: str) -> tuple[str, str, str]:
    """The documents that nearly every change of the project *name* concerns."""
    return simple_key(name), project_key(name), INDEX


def _versions_with(writing: Writing, name: str, added: str | None) -> Sequence[str] | None:
    """The versions that the project's page lists, and the one *added*; None when the page does not tell."""
    tail = writing.json_tail(simple_key(name))
    try:
        versions = None if tail is None else versions_in(tail)
    except ValueError:
        return None
    return versions if added is None or versions is None else with_version(versions, added)


def _refresh_json_api(
    writing: Writing,
    project: ProjectRow,
    latest: ReleaseRow | None,
    changed: tuple[ReleaseRow | None, list[bytes]],
    shelf: Shelf | None,
) -> None:
    if latest is None:
        drop(project_key(project.normalized_name))
        return
    release, place = changed
    writing.refresh(ProjectSource(project, latest, shelf), place)
    if release is not None:
        writing.put(ReleaseSource(project, release, shelf))


def _changed_release(release_id: int | None, latest: ReleaseRow | None) -> tuple[ReleaseRow | None, list[bytes]]:
    """The release that changed and its place among the others; of a quarantined one, the place it had."""
    if release_id is None or latest is None:
        return None, []
    release = latest if release_id == latest.id else rows.release(release_id)
    version = release.version if release else rows.version(release_id)
    return release, [version.encode()] if version else []


def _rebuild(project_id: int) -> None:
    bulk.rebuild_projects([project_id])
    withhold()
    name = rows.name(project_id)
    if name is not None:
        refresh(IndexSource(), [name.encode()])
