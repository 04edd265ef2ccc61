"""Documents against the rows."""

from collections.abc import Iterator, Sequence

from django.db import transaction
from django.db.models import QuerySet

from packhouse.documents.actions import Source, rebuild, refresh, serial_lock
from packhouse.documents.models import Document
from packhouse.documents.upkeep import bounds, drop_many, rebuild_many, segment_matches, shell_matches, stored
from packhouse.index import bulk, startup
from packhouse.index.findings import Finding, Report
from packhouse.index.rows import QUARANTINED
from packhouse.index.sources import INDEX, IndexSource, WithheldSource, project_key, release_key, simple_key
from packhouse.projects.models import Project, Release

_PROJECTS_AT_ONCE = 100
_KEYS_AT_ONCE = 1000
_KINDS = {"simple", "project", "release"}


def check_documents(report: Report, *, repair: bool) -> None:
    """Compare every document with what the rows say, byte for byte; find those that should not be."""
    for ids in _batches(Project.objects.order_by("pk")):
        report.projects += len(ids)
        for project_id in _suspects(ids, report):
            _recheck_project(project_id, report, repair=repair)
    for keys in _stored_keys():
        if _stale(keys):
            _recheck_stale(keys, report, repair=repair)
    _check_index(report, repair=repair)
    _check_withheld(report, repair=repair)
    if repair:
        startup.stamp()


def _batches(chosen: QuerySet[Project]) -> Iterator[list[int]]:
    last = 0
    while ids := list(chosen.filter(pk__gt=last).values_list("pk", flat=True)[:_PROJECTS_AT_ONCE]):
        yield ids
        last = ids[-1]


def _suspects(ids: Sequence[int], report: Report) -> list[int]:
    """Those of the projects *ids* with a document that is missing or says something else."""
    suspects = []
    for project_id, sources in bulk.documents_by_project(ids):
        report.documents += len(sources)
        if any(_wrong(sources)):
            suspects.append(project_id)
    return suspects


def _wrong(sources: Sequence[Source]) -> Iterator[tuple[Source, str]]:
    found = stored([source.key for source in sources])
    for source in sources:
        document = found.get(source.key)
        if document is None:
            yield source, "document-missing"
        elif not document.matches(source):
            yield source, "document-differs"


def _recheck_project(project_id: int, report: Report, *, repair: bool) -> None:
    with transaction.atomic():
        serial_lock()
        wrong = list(_wrong(list(bulk.documents([project_id]))))
        if repair:
            rebuild_many([source for source, _ in wrong])
    for source, kind in wrong:
        report.add(Finding(kind, source.key, mended=repair))


def _stored_keys() -> Iterator[list[str]]:
    """The keys of all documents about projects, in batches."""
    last = ""
    while keys := list(
        Document.objects.filter(key__gt=last).order_by("key").values_list("key", flat=True)[:_KEYS_AT_ONCE]
    ):
        yield [key for key in keys if key.partition("/")[0] in _KINDS]
        last = keys[-1]


def _stale(keys: Sequence[str]) -> list[str]:
    """Those of *keys* whose document no row asks for."""
    names = {key.split("/")[1] for key in keys}
    projects = Project.objects.filter(normalized_name__in=names)
    wanted = {simple_key(name) for name in projects.values_list("normalized_name", flat=True)}
    releases = Release.objects.filter(project__in=projects.exclude(status=QUARANTINED), quarantined=False)
    about_releases = [key for key in keys if key.startswith("release/")]
    versions = {key.split("/", 2)[2] for key in about_releases}
    if len(about_releases) < len(keys):
        listed = releases.values_list("project__normalized_name", flat=True).distinct()
        wanted.update(map(project_key, listed))
    named = releases.filter(canonical_version__in=versions).values_list("project__normalized_name", "canonical_version")
    wanted.update(release_key(name, version) for name, version in (named if versions else ()))
    return [key for key in keys if key not in wanted]


def _recheck_stale(keys: Sequence[str], report: Report, *, repair: bool) -> None:
    with transaction.atomic():
        serial_lock()
        stale = _stale(keys)
        if repair:
            drop_many(stale)
    for key in stale:
        report.add(Finding("document-stale", key, mended=repair))


def _check_index(report: Report, *, repair: bool) -> None:
    """The index is too large for one look: its shell and its segments are compared one by one."""
    report.documents += 1
    source = IndexSource()
    suspects = [first for first, before in list(bounds(INDEX)) if not segment_matches(source, first, before)]
    if suspects or not shell_matches(source):
        _recheck_index(source, suspects, report, repair=repair)


def _check_withheld(report: Report, *, repair: bool) -> None:
    report.documents += 1
    if not any(_wrong([WithheldSource()])):
        return
    with transaction.atomic():
        serial_lock()
        wrong = list(_wrong([WithheldSource()]))
        if repair:
            rebuild_many([source for source, _ in wrong])
    for source, kind in wrong:
        report.add(Finding(kind, source.key, mended=repair))


def _recheck_index(source: IndexSource, suspects: list[bytes], report: Report, *, repair: bool) -> None:
    with transaction.atomic():
        serial_lock()
        there = Document.objects.filter(key=INDEX).exists()
        ends = dict(bounds(INDEX))
        wrong = [first for first in suspects if first in ends and not segment_matches(source, first, ends[first])]
        if not wrong and shell_matches(source):
            return
        if repair:
            refresh(source, wrong) if there else rebuild(source)
    report.add(Finding("document-differs" if there else "document-missing", INDEX, mended=repair))
