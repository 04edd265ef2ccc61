"""How much there is on the index, counted now and then: exact on a small one, estimated on a large PostgreSQL."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from django.db import connection, models
from django.db.models import Sum

from packhouse.accounts.models import User
from packhouse.projects.models import File, Project, Release

Value = TypeVar("Value")
KEPT_FOR: Final = 600.0
EXACT_BELOW: Final = 100_000
TOP: Final = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of each kind."""

    projects: int
    releases: int
    files: int
    users: int


@dataclass(slots=True)
class Remembered(Generic[Value]):
    """What *ask* answered, for ``KEPT_FOR`` seconds; one thread asks while the others take the old answer."""

    ask: Callable[[], Value]
    answer: Value | None = None
    good_until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self) -> Value:
        if self.answer is not None and (time.monotonic() < self.good_until or self.lock.locked()):
            return self.answer
        with self.lock:
            self.answer = answer = self.ask()
            self.good_until = time.monotonic() + KEPT_FOR
        return answer

    def forget(self) -> None:
        """Ask again next time."""
        self.answer = None


def _count() -> Counts:
    return Counts(*map(_rows, (Project, Release, File, User)))


def _rows(model: type[models.Model]) -> int:
    """The number of rows; of a large table of PostgreSQL its own estimate, because counting reads all of it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [model._meta.db_table])
            estimate = int(cursor.fetchone()[0])
        if estimate >= EXACT_BELOW:
            return estimate
    return models.QuerySet(model).count()


def _sizes() -> tuple[int, list[tuple[str, int]]]:
    """The bytes of all files together, and the largest projects with theirs."""
    visible = Project.objects.exclude(status=Project.Status.QUARANTINED)
    top = list(visible.order_by("-total_size", "pk").values_list("name", "total_size")[:TOP])
    return Project.objects.aggregate(total=Sum("total_size"))["total"] or 0, top


COUNTS: Final = Remembered(_count)
SIZES: Final = Remembered(_sizes)
