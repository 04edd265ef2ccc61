"""Taking what feeds say, and marking releases by it.

A project's reports are taken together, in one transaction with its documents, however many releases they affect.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Self

from packaging.version import Version

from packhouse.base import clock
from packhouse.integrations import ranges
from packhouse.integrations.models import Feed, Vulnerability
from packhouse.integrations.reports import OSV, Report
from packhouse.projects.actions import lock_project, mark_releases
from packhouse.projects.ledger import Ledger, journalled
from packhouse.projects.models import Project, Release
from packhouse.purge.actions import forget

NEW_FOR: Final = timedelta(days=1)
"""How long releases that nobody has looked at are looked for."""
_SAID: Final = ("link", "aliases", "summary", "details", "fixed_in", "withdrawn", "versions", "ranges")


@dataclass(slots=True)
class Taken:
    """What became of some reports, by identifier, and how many releases are affected otherwise than before."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0
    releases: int = 0


def report(project_id: int, given: Sequence[Report], *, source: str = OSV, whole: bool = False) -> Taken:
    """Take the reports *given* of a project; those taken before are replaced, and removed by one that affects nothing.

    *whole*: they are all that *source* says of it, so that what it said before and says no longer is removed.
    A project that is gone is no error.
    """
    taken = Taken()
    if _says_nothing_new(project_id, given, source, whole=whole):
        taken.unchanged = len(given)
        return taken
    with journalled(None) as book:
        project = _locked(project_id)
        if project is None:
            return taken
        latest = {one.identifier: one for one in given}
        touched = _take(project, latest, source, taken, whole=whole)
        taken.releases = _mark(project, book, touched)
    return taken


def remove(identifier: str | None, *, projects: Iterable[int]) -> int:
    """Remove what is known under *identifier*, or all that is known, of the *projects*; returns how much it was."""
    count = 0
    for project_id in projects:
        with journalled(None) as book:
            project = _locked(project_id)
            if project is None:
                continue
            known = Vulnerability.objects.filter(project=project)
            count += (known if identifier is None else known.filter(identifier=identifier)).delete()[0]
            _mark(project, book)
    return count


def mark_new_releases() -> int:
    """Mark the releases of the last day that nobody has looked at yet; returns how many there were."""
    if not Vulnerability.objects.exists():
        return 0
    watched = Vulnerability.objects.values("project")
    new = Release.objects.filter(created__gt=clock.now() - NEW_FOR, vulnerabilities__isnull=True, project__in=watched)
    by_project: dict[int, int] = {}
    for project_id in new.order_by("project").values_list("project", flat=True):
        by_project[project_id] = by_project.get(project_id, 0) + 1
    for project_id in by_project:
        with journalled(None) as book:
            if project := _locked(project_id):
                _mark(project, book)
    return sum(by_project.values())


def note_feed(source: str = OSV) -> None:
    """Remember that something was given.  The first time, every page may show something that it did not."""
    _, created = Feed.objects.update_or_create(source=source, defaults={"updated": clock.now()})
    if created:
        forget(["all-html"])


def forget_feeds() -> None:
    """Remember no longer that there has been any feed."""
    if Feed.objects.all().delete()[0]:
        forget(["all-html"])


def _locked(project_id: int) -> Project | None:
    """The project, which nobody else changes until this transaction ends; None when it was deleted meanwhile."""
    try:
        return lock_project(project_id)
    except Project.DoesNotExist:
        return None


def _says_nothing_new(project_id: int, given: Sequence[Report], source: str, *, whole: bool) -> bool:
    stored = _stored(project_id, source)
    if whole and stored.keys() - {one.identifier for one in given}:
        return False
    known = all(
        found is None if one.takes_back else found is not None and not _differs(found, one)
        for one in given
        for found in [stored.get(one.identifier)]
    )
    unseen = Release.objects.filter(project_id=project_id, vulnerabilities__isnull=True)
    return known and not (stored and unseen.exists())


def _stored(project_id: int, source: str) -> dict[str, Vulnerability]:
    return {row.identifier: row for row in Vulnerability.objects.filter(project_id=project_id, source=source)}


def _take(project: Project, given: Mapping[str, Report], source: str, taken: Taken, *, whole: bool) -> set[int]:
    """Write the rows; returns the numbers of those that now say something else."""
    stored = _stored(project.pk, source)
    wanted = {identifier: one for identifier, one in given.items() if not one.takes_back}
    gone = {identifier for identifier in stored if identifier not in wanted and (whole or identifier in given)}
    Vulnerability.objects.filter(pk__in=[stored[identifier].pk for identifier in gone]).delete()
    taken.removed += sorted(gone)
    touched = set()
    for identifier, one in wanted.items():
        row = stored.get(identifier)
        if row is not None and not _differs(row, one):
            taken.unchanged += 1
            continue
        (taken.new if row is None else taken.changed).append(identifier)
        row = row or Vulnerability(project=project, source=source, identifier=identifier)
        for name, value in _said(one).items():
            setattr(row, name, value)
        row.save()
        touched.add(row.pk)
    return touched


def _said(one: Report) -> Mapping[str, Any]:
    """The fields of a row as *one* says them, in the shapes that JSON gives back."""
    plain = {name: getattr(one, name) for name in _SAID}
    return {name: _as_lists(value) for name, value in plain.items()}


def _as_lists(value: Any) -> Any:
    return [_as_lists(item) for item in value] if isinstance(value, tuple) else value


def _differs(row: Vulnerability, one: Report) -> bool:
    return any(getattr(row, name) != value for name, value in _said(one).items())


def _mark(project: Project, book: Ledger, touched: Collection[int] = ()) -> int:
    """Have each release of *project* say what affects it; *touched* ones say something else than before."""
    known = [_Known.of(row) for row in Vulnerability.objects.filter(project=project).order_by("pk")]
    releases = project.releases.values_list("pk", "canonical_version")
    parsed = {key: (text, Version(text)) for key, text in releases}
    marks = {key: [one.number for one in known if one.affects(*version)] for key, version in parsed.items()}
    return mark_releases(project=project, marks=marks, touched=touched, ledger=book)


@dataclass(frozen=True, slots=True)
class _Known:
    """A vulnerability, ready to be asked about many releases."""

    number: int
    versions: frozenset[str]
    ranges: tuple[Callable[[Version], bool], ...]

    @classmethod
    def of(cls, row: Vulnerability) -> Self:
        return cls(row.pk, frozenset(row.versions), tuple(map(ranges.container, row.ranges)))

    def affects(self, canonical_version: str, version: Version) -> bool:
        return canonical_version in self.versions or any(contains(version) for contains in self.ranges)
