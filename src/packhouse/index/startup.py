"""What must hold before the first request: the index document is there, and all links are made from the public URL.

Where the public URL or the way of rendering has changed, documents are of another edition (``documents.edition``).  The
start does not wait until all are made anew, which takes minutes for a million projects: a task makes them, and the
front door has those made at once that somebody asks for meanwhile.
"""

from collections.abc import Sequence

import structlog
from django.db import transaction

from packhouse.documents import edition
from packhouse.documents.actions import Shell, drop, put, rebuild, serial_lock
from packhouse.documents.edition import STAMP
from packhouse.documents.models import Document
from packhouse.documents.upkeep import outdated
from packhouse.index import bulk, provenance
from packhouse.index.sources import (
    INDEX,
    WITHHELD,
    IndexSource,
    WithheldSource,
    project_key,
    public_url,
    release_key,
    simple_key,
)
from packhouse.projects.models import Project, Release

log = structlog.get_logger(__name__)

AT_ONCE = 50
"""Projects in one transaction beside others who write."""


def make_ready() -> None:
    """See that there are documents; have those of another edition made anew by a task.

    Where there is no stamp, as after a restored backup, documents say something else than the rows: that cannot wait.
    """
    made = dict(Document.objects.filter(key__in=[STAMP, INDEX]).values_list("key", "shared"))
    if made.keys() != {STAMP, INDEX}:
        _make_all()
    elif made[STAMP] != _stamp():
        from packhouse.index.tasks import make_documents_anew  # noqa: PLC0415 (the task does what stands below)

        log.info("documents.outdated", public_url=public_url())
        make_documents_anew.enqueue()
    if not Document.objects.filter(key=WITHHELD).exists():
        _make_withheld()
    if not provenance.is_settled():
        with transaction.atomic():
            serial_lock()
            provenance.settle()


def is_of_this_edition() -> bool:
    """Whether all documents were made as they would be made now, so that they can be compared."""
    return Document.objects.filter(key=STAMP, shared=_stamp()).exists()


def _make_all() -> None:
    ids = Project.objects.order_by("pk").values_list("pk", flat=True)
    for some in bulk.batches(ids):
        with transaction.atomic():
            serial_lock()
            bulk.rebuild_projects(some)
    _make_index()
    _make_withheld()
    stamp()


def make_all_anew() -> None:
    """Make all documents of another edition anew, some dozens of projects in a transaction.

    That of the index only if the way of rendering has changed: it has no links that begin with the public URL.
    """
    last = 0
    while page := _projects_after(last):
        last = page[-1][0]
        _make_outdated(page)
    if not _rendered_alike():
        _make_index()
    stamp()


def _rendered_alike() -> bool:
    """Whether documents without links say what they would say now."""
    made_with = Document.objects.filter(key=STAMP).values_list("shared", flat=True).first() or ""
    return made_with.partition(" ")[0] == str(edition.RENDERING)


def _projects_after(last: int) -> Sequence[tuple[int, str]]:
    return list(Project.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "normalized_name")[:AT_ONCE])


def _make_outdated(projects: Sequence[tuple[int, str]]) -> None:
    """Those of some *projects* (id, normalised name) of which a document is outdated."""
    owners = {key: pk for pk, name in projects for key in (simple_key(name), project_key(name))}
    releases = Release.objects.filter(project_id__in=[pk for pk, _ in projects])
    names = dict(projects)
    owners |= {
        release_key(names[pk], version): pk for pk, version in releases.values_list("project", "canonical_version")
    }
    with transaction.atomic():
        serial_lock()
        if found := {owners[key] for key in outdated(owners)}:
            bulk.rebuild_projects(sorted(found))


def make_anew(key: str) -> None:
    """Make the documents of the project that *key* is of anew, if that one is outdated; remove it if there is none."""
    with transaction.atomic():
        serial_lock()
        if not outdated([key]):
            return
        found = Project.objects.filter(normalized_name=key.split("/")[1]).values_list("pk", flat=True)
        bulk.rebuild_projects(list(found))
        if outdated([key]):
            drop(key)


def _make_index() -> None:
    with transaction.atomic():
        serial_lock()
        rebuild(IndexSource())


def _make_withheld() -> None:
    with transaction.atomic():
        serial_lock()
        put(WithheldSource())


def stamp() -> None:
    """Remember with what the documents were made: call it when all of them were."""
    if Document.objects.filter(key=STAMP, shared=_stamp()).exists():
        return
    with transaction.atomic():
        serial_lock()
        rebuild(bulk.Prepared(STAMP, Shell(0, shared=_stamp())))


def _stamp() -> str:
    return edition.stamp_of(public_url())
