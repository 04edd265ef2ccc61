"""Background tasks: how the queues are doing, and what has failed for good."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from packhouse.accounts.access import user_of
from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.console import actions
from packhouse.console.access import may_decide_on_tasks, staff
from packhouse.queue import queries
from packhouse.queue.models import QueuedTask

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """A dead task as the page shows it: ``error`` is the last line of what went wrong, ``trace`` all of it."""

    number: int
    name: str
    queue: str
    attempts: int
    failed: datetime | None
    error: str
    trace: str


@require_safe
@staff
def tasks(request: HttpRequest) -> HttpResponse:
    """Every queue, and the tasks whose attempts are used up, the latest first."""
    decides = bool(may_decide_on_tasks(user_of(request)))
    failures = [_shown(task, whole=decides) for task in queries.dead_tasks(SHOWN)]
    queues = [(age, _due_since(age)) for age in queries.queue_ages()]
    context = {"queues": queues, "failures": failures, "decides": decides, "section": "tasks"}
    return render(request, "console/tasks.html", context)


def _due_since(age: queries.QueueAge) -> datetime | None:
    """Since when the longest due task of a queue waits; None when none does for more than a moment."""
    return clock.now() - timedelta(seconds=age.oldest_seconds) if age.oldest_seconds >= 1 else None


def _shown(task: QueuedTask, *, whole: bool) -> Failure:
    """A trace may quote what people have typed: only whoever may decide sees more than its last line."""
    lines = task.last_error.strip().splitlines()
    return Failure(
        task.pk,
        task.name.removeprefix("packhouse."),
        task.queue,
        task.attempts,
        task.finished_at,
        lines[-1] if lines else "",
        task.last_error if whole and len(lines) > 1 else "",
    )


@require_POST
@staff
def retry(request: HttpRequest, number: int) -> HttpResponse:
    """Queues a dead task again."""
    return _decide(request, actions.retry_task, number, _("%(task)s waits to run again."))


@require_POST
@staff
def discard(request: HttpRequest, number: int) -> HttpResponse:
    """Removes a dead task."""
    return _decide(request, actions.discard_task, number, _("%(task)s is discarded."))


def _decide(request: HttpRequest, action: Callable[..., str], number: int, told: str) -> HttpResponse:
    user: User = user_of(request)
    decision = may_decide_on_tasks(user)
    if not decision:
        raise PermissionDenied(decision.reason)
    if name := action(number, by=user):
        messages.success(request, told % {"task": name.removeprefix("packhouse.")})
    return redirect("console-tasks")
