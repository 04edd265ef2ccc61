"""Writing what the front door has counted."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from typing import Final

from django.db import IntegrityError, connection, transaction

from packhouse.base import agents, clock
from packhouse.downloads.models import Downloads
from packhouse.downloads.tally import Batch
from packhouse.projects.models import File

KEPT: Final = timedelta(days=400)
AT_ONCE: Final = 500
ATTEMPTS: Final = 3
MINOR: Final = re.compile(r"[23]\.\d{1,2}(?!\d)")
ADD: Final = (
    "INSERT INTO downloads_downloads (project_id, release_id, day, installer, python, number)"
    " VALUES (%s, %s, %s, %s, %s, %s)"
    " ON CONFLICT (release_id, day, installer, python)"
    " DO UPDATE SET number = downloads_downloads.number + excluded.number"
)
Row = tuple[int, int, str, str]
"""Project, release, installer, Python."""


def record_downloads(batch: Batch, day: date | None = None) -> None:
    """Add the numbers to those of *day* (today in UTC), in one transaction.  Files that are gone are left out."""
    day = day or clock.now().date()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                rows = sorted(_rows(batch).items())  # in one order, so that two writers never wait for each other
                cursor.executemany(ADD, [(p, r, day, tool, python, n) for (p, r, tool, python), n in rows])
        except IntegrityError:  # a release went away meanwhile
            if attempt == ATTEMPTS:
                raise
        else:
            return


def forget_old() -> int:
    """Delete the numbers of more than ``KEPT`` ago; returns how many rows."""
    return Downloads.objects.filter(day__lt=clock.now().date() - KEPT).delete()[0]


def client_of(agent: str) -> tuple[str, str]:
    """The installer's name and the minor version of its Python, as far as they are known."""
    known = agents.parse(agent)
    named = known.name if known.kind in {"installer", "mirror"} else known.kind if known.kind == "browser" else "other"
    found = MINOR.match(known.python)
    return named[:20], found[0] if found else ""


def _rows(batch: Batch) -> Counter[Row]:
    keys = {key for key, _ in batch}
    files = {path: (project, release) for path, project, release in _files(keys)}
    counted: Counter[Row] = Counter()
    for (key, agent), number in batch.items():
        if key in files:
            counted[(*files[key], *client_of(agent))] += number
    return counted


def _files(keys: set[str]) -> Iterator[tuple[str, int, int]]:
    left = iter(keys)
    while some := list(islice(left, AT_ONCE)):
        yield from File.objects.filter(path__in=some).values_list("path", "project_id", "release_id")
