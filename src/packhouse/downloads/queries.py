"""Asking how often something was fetched."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from django.db.models import Sum

from packhouse.base import clock
from packhouse.downloads.models import Downloads

DAYS: Final = 30
MOST: Final = 8


@dataclass(frozen=True, slots=True)
class Fetched:
    """The last ``DAYS`` whole days: numbers by day (none left out), and the commonest installers and Pythons."""

    days: tuple[tuple[date, int], ...]
    installers: tuple[tuple[str, int], ...]
    pythons: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        return sum(number for _, number in self.days)


def recent(project_id: int, release_id: int | None = None) -> Fetched:
    """The downloads of a project, or of one of its releases.  Three queries."""
    today = clock.now().date()
    days = [today - timedelta(days=ago) for ago in range(DAYS, 0, -1)]
    chosen: dict[str, Any] = {"project_id": project_id, "day__gte": days[0], "day__lt": today}
    if release_id is not None:
        chosen["release_id"] = release_id
    numbers = dict(_summed("day", chosen))
    return Fetched(
        tuple((day, numbers.get(day, 0)) for day in days),
        tuple(_summed("installer", chosen)[:MOST]),
        tuple(_summed("python", chosen)[:MOST]),
    )


def recent_totals() -> dict[int, int]:
    """The downloads of the last ``DAYS`` whole days of every project that had any, by id.  One query."""
    today = clock.now().date()
    found = Downloads.objects.filter(day__gte=today - timedelta(days=DAYS), day__lt=today)
    return dict(found.values("project_id").annotate(sum=Sum("number")).values_list("project_id", "sum"))


def _summed(field: str, chosen: dict[str, Any]) -> list[tuple[Any, int]]:
    rows = Downloads.objects.filter(**chosen).values(field).annotate(sum=Sum("number")).order_by("-sum", field)
    return list(rows.values_list(field, "sum"))
