"""Questions about what is known."""

from collections.abc import Iterable

from django.db.models import QuerySet

from packhouse.integrations.models import Feed, Vulnerability
from packhouse.projects.models import Release


def has_feed() -> bool:
    """Whether this index has ever been given a list: without one, that nothing is known says nothing."""
    return Feed.objects.exists()


def known_of(release: Release) -> list[Vulnerability]:
    """The vulnerabilities that affect *release*, by identifier; the withdrawn ones too.  No query where it has none."""
    marks = release.vulnerabilities
    return list(_by_number(marks).order_by("identifier", "pk")) if marks else []


def valid_number(release: Release) -> int:
    """How many vulnerabilities that are not withdrawn affect *release*.  No query where it has none."""
    marks = release.vulnerabilities
    return _by_number(marks).filter(withdrawn=None).count() if marks else 0


def still_valid(releases: Iterable[Release]) -> set[int]:
    """Which of *releases* are affected by something that is not withdrawn: their ids."""
    marked = [release for release in releases if release.vulnerabilities]
    numbers = {number for release in marked for number in release.vulnerabilities or ()}
    valid = set(_by_number(numbers).filter(withdrawn=None).values_list("pk", flat=True)) if numbers else set()
    return {release.pk for release in marked if not valid.isdisjoint(release.vulnerabilities or ())}


def listing(project: str = "") -> QuerySet[Vulnerability]:
    """All that is known, or what is known of the project of that normalised name."""
    found = Vulnerability.objects.select_related("project").order_by("project__normalized_name", "identifier", "pk")
    return found.filter(project__normalized_name=project) if project else found


def _by_number(numbers: Iterable[int]) -> QuerySet[Vulnerability]:
    return Vulnerability.objects.filter(pk__in=list(numbers))
