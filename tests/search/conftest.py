"""What the tests of search share."""

from collections.abc import Callable

import pytest

from packhouse.throttle.limit import Limit


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Tests search faster than people, on machines that may be busier."""
    monkeypatch.setattr("packhouse.search.queries.TIME_LIMIT", 60.0)
    monkeypatch.setattr("packhouse.search.views.SEARCHES", Limit("search.tests", "100000 per second"))


@pytest.fixture
def run_tasks() -> Callable[[], None]:
    """``run_tasks()`` runs what is queued, here and now."""
    from django.utils.module_loading import import_string

    from packhouse.queue.models import QueuedTask

    def run() -> None:
        for row in list(QueuedTask.objects.order_by("pk")):
            import_string(row.name).func(*row.arguments["args"], **row.arguments["kwargs"])
            row.delete()

    return run
