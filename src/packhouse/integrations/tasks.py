"""Background work of integrations."""

from typing import Any

from packhouse.integrations import actions, pushed
from packhouse.projects.queries import find_project
from packhouse.queue import background


@background("default", attempts=8, time_limit=600)
def take_reports(records: list[dict[str, Any]]) -> None:
    """Take pushed reports, all of one project; one that is not here is ignored.  Safe to run twice."""
    given = [pushed.read(record) for record in records]
    project = find_project(given[0].project) if given else None
    if project is not None:
        actions.report(project.pk, given)


@background("default", attempts=3, time_limit=600, unique=True)
def mark_new_releases() -> None:
    """Mark releases that were published since.  Safe to run twice."""
    actions.mark_new_releases()
