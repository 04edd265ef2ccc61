"""What people of the console do about tasks, with the trail of it."""

from django.db import transaction

from packhouse.accounts.models import User
from packhouse.audit import actions as audit
from packhouse.queue import actions as queue
from packhouse.queue.models import QueuedTask

INDEX = audit.Subject("index", "index")


def retry_task(number: int, *, by: User) -> str:
    """Queue a dead task again; returns its name, or nothing where there is no such dead task."""
    with transaction.atomic():
        task = QueuedTask.objects.dead().filter(pk=number).first()
        if task is None or not queue.retry_dead(number):
            return ""
        audit.record("task:retry", subject=INDEX, by=by, additional={"task": task.name, "number": number})
    return task.name


def discard_task(number: int, *, by: User) -> str:
    """Remove a dead task for good; returns its name, or nothing where there is no such dead task."""
    with transaction.atomic():
        task = QueuedTask.objects.dead().filter(pk=number).first()
        if task is None or not queue.discard_dead(number):
            return ""
        about = {"task": task.name, "number": number, "arguments": task.arguments}
        audit.record("task:discard", subject=INDEX, by=by, additional=about)
    return task.name
