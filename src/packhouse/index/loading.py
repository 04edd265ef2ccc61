"""Filling an index with many projects at once, with their documents: what an import stands on.

An empty index is filled in one transaction without indexes (``base.bulk.filling``), and what needs no database is
computed by processes beside the one that writes; so a million projects take minutes.  Into an index that holds
something already, some hundreds are written in each transaction, and others write in between.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import nullcontext
from itertools import islice
from typing import Any, NamedTuple

from django.db import transaction

from packhouse.base.bulk import filling
from packhouse.base.processes import beside
from packhouse.documents import upkeep
from packhouse.documents.actions import put, rebuild, serial_lock
from packhouse.documents.upkeep import NewRows
from packhouse.index import startup
from packhouse.index.bulk import PROJECTS_AT_ONCE, rendered
from packhouse.index.rows import FileRow, ProjectRow, ReleaseRow
from packhouse.index.sources import IndexSource, Owners, WithheldSource, public_url
from packhouse.projects import bulk
from packhouse.projects.bulk import Batch, NewFile, NewProject, NewRelease, Rows
from packhouse.projects.models import Project
from packhouse.specs.filenames import file_sort_key
from packhouse.specs.names import normalize


class Made(NamedTuple):
    """All rows of a batch of projects."""

    rows: Rows
    documents: list[NewRows]


def load(entries: Iterable[NewProject], *, processes: int = 0) -> int:
    """Write *entries* with their documents, then the index; returns how many.

    Into an empty index with the help of *processes* others; nobody else should use it then.  Raises ``IntegrityError``
    (of Django or of the driver) when names or contents are not unique, and ``Refused`` for a version that is none.
    """
    if Project.objects.exists():
        return _add(entries)
    with filling([*bulk.TABLES, *upkeep.TABLES]):
        count = _fill(entries, processes)
        rebuild(IndexSource())
        put(WithheldSource())
        startup.stamp()
        upkeep.mark_everything_changed()
    return count


def _add(entries: Iterable[NewProject]) -> int:
    count = 0
    for some in _batches(entries):
        with transaction.atomic():
            _write(made(bulk.reserve(some), public_url()))
            upkeep.mark_everything_changed()
        count += len(some)
    with transaction.atomic():
        serial_lock()
        rebuild(IndexSource())
    return count


def _fill(entries: Iterable[NewProject], processes: int) -> int:
    """Numbers are given in order here, the rest is computed beside; at most a few batches are ahead of the writer."""
    count, taken, base = 0, set[str | None](), public_url()
    helpers = beside(processes) if processes else None
    with helpers or nullcontext():
        ahead: deque[Future[Made] | Made] = deque()
        for some in _batches(entries):
            batch = bulk.reserve(some, taken)
            ahead.append(helpers.submit(made, batch, base) if helpers else made(batch, base))
            count += len(some)
            if len(ahead) > 2 * processes:
                _write(_done(ahead.popleft()))
        while ahead:
            _write(_done(ahead.popleft()))
    return count


def _batches(entries: Iterable[NewProject]) -> Iterator[list[NewProject]]:
    remaining = iter(entries)
    while some := list(islice(remaining, PROJECTS_AT_ONCE)):
        yield some


def _done(work: Future[Made] | Made) -> Made:
    return work.result() if isinstance(work, Future) else work


def _write(done: Made) -> None:
    bulk.write(done.rows)
    upkeep.insert_new(done.documents)


def made(batch: Batch, base: str) -> Made:
    """All rows of *batch*, links below the URL *base*.  Asks the database nothing."""
    documents = [
        upkeep.new_rows(source) for project in _projects(batch) for source in rendered(*project, Owners(), base, {})
    ]
    return Made(bulk.rows(batch), documents)


def _projects(batch: Batch) -> Iterator[tuple[ProjectRow, list[ReleaseRow], list[FileRow]]]:
    """What ``rows`` would say of the projects once they are written."""
    numbers = iter(batch.releases)
    for entry, key, serial in zip(batch.entries, batch.ids, batch.serials, strict=True):
        numbered = [(next(numbers), new) for new in entry.releases]
        releases = [_release(entry, new, key, number) for number, new in numbered]
        files = [_file(file, new, key, number, batch) for number, new in numbered for file in new.files]
        releases.sort(key=lambda row: row.sort_key)
        files.sort(key=lambda row: row.sort_key)
        yield ProjectRow(key, entry.name, normalize(entry.name), Project.Status.ACTIVE.value, serial), releases, files


def _release(entry: NewProject, new: NewRelease, project_id: int, key: int) -> ReleaseRow:
    about = bulk.version(new.version)
    return ReleaseRow(
        *(project_id, key, new.version, about.canonical, about.sort_key, about.is_prerelease, False, ""),
        *(new.requires_python, entry.summary[:512], bulk.metadata_of(entry, new), None, None, None),
    )


def _file(file: NewFile, new: NewRelease, project_id: int, release_id: int, batch: Batch) -> FileRow:
    key = file_sort_key(bulk.version(new.version).sort_key, file.filename)
    uploaded = file.uploaded or new.created or batch.now
    about: tuple[Any, ...] = (
        *(project_id, release_id, key, file.filename, bulk.path_of(file), file.size, uploaded, file.md5, file.sha256),
        *(file.blake2_256, file.metadata_sha256, file.packagetype, file.python_version, ""),
        *(new.requires_python, False, "", new.version, None),
    )
    return FileRow._make(about)
