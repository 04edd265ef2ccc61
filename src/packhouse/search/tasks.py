"""The index follows the projects."""

from packhouse.downloads.queries import recent_totals
from packhouse.queue import background
from packhouse.search import actions


@background("default", attempts=8, unique=True)
def index_project(project_id: int) -> None:
    """Bring the entry of a project up to date, or remove it.  Safe to run twice."""
    actions.index_projects([project_id])


@background("heavy", attempts=3, time_limit=3600, unique=True)
def rebuild() -> None:
    """Make the whole index anew while it serves, with the downloads of the last weeks.  Safe to run twice."""
    actions.replace_downloads(recent_totals())
    actions.rebuild()


def rebuild_if_outdated() -> None:
    """At a start: have the index made by a task when it was never made, or by another edition of the analyser."""
    if actions.is_outdated():
        rebuild.enqueue()
