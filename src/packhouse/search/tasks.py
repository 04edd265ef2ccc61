"""The index follows the projects."""

from typing import Final

from django.db import transaction

from packhouse.downloads.queries import recent_totals
from packhouse.queue import actions as queue
from packhouse.queue import background
from packhouse.search import actions

MOST_AT_ONCE: Final = 100


@background("default", attempts=8, unique=True, delay=1.0)
def index_project(project_id: int) -> None:
    """Bring the entry of a project up to date, or remove it; and those of all others that wait for it.

    A second's changes thus cost one transaction, however many they are.  Safe to run twice.
    """
    with transaction.atomic():
        others = {other for (other,) in queue.gather(index_project, MOST_AT_ONCE)}
        actions.index_projects(sorted({project_id} | others))


@background("heavy", attempts=3, time_limit=3600, unique=True)
def rebuild() -> None:
    """Make the whole index anew while it serves, with the downloads of the last weeks.  Safe to run twice."""
    actions.replace_downloads(recent_totals())
    actions.rebuild()


def rebuild_if_outdated() -> None:
    """At a start: have the index made by a task when it was never made, or by another edition of the analyser."""
    if actions.is_outdated():
        rebuild.enqueue()
