"""The console's page of background tasks."""

from datetime import timedelta

import pytest
from django.test import Client
from tests.factories.accounts import make_user, signed_in
from tests.queue import jobs

from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.queue.models import QueuedTask

pytestmark = pytest.mark.django_db
PAGE = "/console/tasks/"
TRACE = "Traceback (most recent call last):\n  File <secret of the trace>\nConnectionError: the <b>service</b> is away"


def dead_task() -> QueuedTask:
    """A task whose attempts are used up."""
    jobs.fail_always.enqueue("/nowhere")
    QueuedTask.objects.update(state="dead", attempts=3, finished_at=clock.now(), last_error=TRACE)
    return QueuedTask.objects.get()


@pytest.fixture
def chief() -> Client:
    return signed_in(make_user("chief", is_superuser=True))


def test_queues_and_failures_are_shown_and_markup_in_them_is_text(chief: Client) -> None:
    dead_task()
    jobs.note.enqueue("/nowhere")
    QueuedTask.objects.waiting().update(run_at=clock.now() - timedelta(hours=3))
    page = chief.get(PAGE).content.decode()
    assert "ConnectionError: the &lt;b&gt;service&lt;/b&gt; is away" in page
    assert "&lt;secret of the trace&gt;" in page
    assert "jobs.fail_always" in page
    assert "3 hours ago" in page
    assert all(f">{queue}<" in page for queue in ("default", "mail", "purge", "heavy"))


def test_other_staff_see_the_last_line_and_decide_nothing() -> None:
    task = dead_task()
    support = signed_in(make_user(is_support=True))
    page = support.get(PAGE).content.decode()
    assert "ConnectionError" in page
    assert "secret of the trace" not in page
    assert "Try again" not in page
    for decision in ("retry", "discard"):
        assert support.post(f"{PAGE}{task.pk}/{decision}/").status_code == 403
    assert QueuedTask.objects.get().state == "dead"


def test_a_failure_is_tried_again_with_all_its_attempts(chief: Client) -> None:
    task = dead_task()
    page = chief.post(f"{PAGE}{task.pk}/retry/", follow=True).content.decode()
    assert "waits to run again" in page
    assert "Nothing has failed for good." in page
    task.refresh_from_db()
    assert (task.state, task.attempts) == ("waiting", 0)
    event = Event.objects.get(tag="task:retry")
    assert (event.actor, event.additional["number"]) == ("chief", task.pk)


def test_a_failure_is_discarded_and_the_trail_keeps_what_it_was(chief: Client) -> None:
    task = dead_task()
    assert "is discarded" in chief.post(f"{PAGE}{task.pk}/discard/", follow=True).content.decode()
    assert not QueuedTask.objects.exists()
    event = Event.objects.get(tag="task:discard")
    assert event.additional == {"task": task.name, "number": task.pk, "arguments": task.arguments}


@pytest.mark.parametrize("decision", ["retry", "discard"])
def test_what_is_not_dead_is_left_alone(chief: Client, decision: str) -> None:
    jobs.note.enqueue("/nowhere")
    task = QueuedTask.objects.get()
    page = chief.post(f"{PAGE}{task.pk}/{decision}/", follow=True).content.decode()
    assert "waits to run again" not in page
    assert "is discarded" not in page
    assert QueuedTask.objects.get().state == "waiting"
    assert not Event.objects.filter(tag__startswith="task:").exists()
