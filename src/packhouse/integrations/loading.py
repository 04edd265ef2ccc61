"""Loading a feed from a file: what it says of the projects that are here."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Final

from packhouse.integrations import actions, osv
from packhouse.integrations.actions import Taken
from packhouse.integrations.models import Vulnerability
from packhouse.integrations.reports import OSV, Malformed, Report
from packhouse.projects.models import Project

AT_ONCE: Final = 500


@dataclass(slots=True)
class Loaded:
    """What became of a file: of each project (by normalised name) what was taken, and what was skipped.

    ``elsewhere`` counts records of other ecosystems, ``unknown`` reports of projects that are not here; ``unreadable``
    is what cannot be used, by the place where it stands.
    """

    taken: dict[str, Taken] = field(default_factory=dict)
    records: int = 0
    elsewhere: int = 0
    unknown: int = 0
    unreadable: list[tuple[str, Malformed]] = field(default_factory=list)


def load(file: IO[bytes], *, source: str = OSV, whole: bool = False) -> Loaded:
    """Take all records in *file*, which can seek, as said by *source*.  Raises ``Malformed`` where nothing can be read.

    *whole*: the file is all that *source* says, so that what it said before and is not in it is removed; nothing is, if
    a record cannot be read.
    """
    loaded = Loaded()
    given = _by_project(_reports(file, loaded), loaded)
    whole = whole and not loaded.unreadable
    if whole:
        before = Vulnerability.objects.filter(source=source).values_list("project_id", "project__normalized_name")
        for project_id, name in before.distinct():
            given.setdefault((name, project_id), {})
    for (name, project_id), reports in sorted(given.items()):
        loaded.taken[name] = actions.report(project_id, list(reports.values()), source=source, whole=whole)
    if loaded.records > len(loaded.unreadable):
        actions.note_feed(source)
    return loaded


def _reports(file: IO[bytes], loaded: Loaded) -> Iterator[Report]:
    for where, record in osv.records(file):
        loaded.records += 1
        try:
            found = osv.read(record)
        except Malformed as refused:
            loaded.unreadable.append((where, refused))
            continue
        loaded.elsewhere += not found
        yield from found


def _by_project(reports: Iterable[Report], loaded: Loaded) -> dict[tuple[str, int], dict[str, Report]]:
    """*reports* of the projects that are here; of several with the same identifier, the last."""
    remaining = iter(reports)
    kept: dict[tuple[str, int], dict[str, Report]] = {}
    while some := list(islice(remaining, AT_ONCE)):
        names = {report.project for report in some}
        here = dict(Project.objects.filter(normalized_name__in=names).values_list("normalized_name", "pk"))
        for report in some:
            if report.project in here:
                kept.setdefault((report.project, here[report.project]), {})[report.identifier] = report
            else:
                loaded.unknown += 1
    return kept
