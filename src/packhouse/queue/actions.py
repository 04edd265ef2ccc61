"""What people do about dead tasks, tasks about others that wait, and the clock about old ones."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django_tasks.base import Task

from packhouse.base import clock
from packhouse.queue.backend import BackgroundTask, current, key_of
from packhouse.queue.models import QueuedTask

DONE_KEPT = timedelta(days=1)
DEAD_KEPT = timedelta(days=30)


def retry_dead(task_id: int) -> bool:
    """Queue the dead task *task_id* again with all its attempts; False when there is no such dead task."""
    dead = QueuedTask.objects.dead().filter(pk=task_id)
    waiting = QueuedTask.State.WAITING
    now = clock.now()
    return dead.update(state=waiting, attempts=0, run_at=now, enqueued_at=now, finished_at=None) == 1


def discard_dead(task_id: int) -> bool:
    """Remove the dead task *task_id* for good; False when there is no such dead task."""
    return QueuedTask.objects.dead().filter(pk=task_id).delete()[0] == 1


def discard_all_dead(task: Task[..., Any]) -> int:
    """Remove every dead call of *task* for good, which told of something that is no longer so; returns how many."""
    return QueuedTask.objects.dead().filter(name=task.module_path).delete()[0]


def take_over(task: BackgroundTask[..., Any], ids: Iterable[int | str]) -> None:
    """Remove what waits to run the unique *task* with one of *ids*: the caller's transaction has done it all.

    One that is running already, or just being taken, is left alone and finds nothing to do: nobody waits for anybody.
    Must be called inside a transaction.
    """
    done = QueuedTask.objects.waiting().filter(dedupe__in=[key_of(task, one) for one in ids])
    QueuedTask.objects.filter(pk__in=done.select_for_update(skip_locked=True).values("pk")).delete()


def put_off(task: BackgroundTask[..., Any], ids: Iterable[int], delay: timedelta) -> None:
    """Queue what waits to run the unique *task* with one of *ids* anew, *delay* from now: another does it meanwhile.

    Rows that somebody else is just changing are left as they are, so nobody waits for anybody.
    """
    now = clock.now()
    until = now + delay
    sooner = QueuedTask.objects.waiting().filter(dedupe__in=[key_of(task, one) for one in ids], run_at__lt=until)
    unlocked = sooner.select_for_update(skip_locked=True).values("pk")
    with transaction.atomic():
        QueuedTask.objects.filter(pk__in=unlocked).update(run_at=until, enqueued_at=now)


def gather(task: BackgroundTask[..., Any], most: int) -> list[list[Any]]:
    """The arguments of up to *most* other calls of *task* that wait, due or not: the caller's transaction does them.

    What has been tried before is left to itself, and a call that is tried again gathers nothing: one that can never
    succeed takes no other along.  Must be called inside a transaction, before what the calls are about is read.
    """
    run = current.get()
    if run is not None and run.attempts > 1:
        return []
    fresh = QueuedTask.objects.waiting().filter(queue=task.queue_name, name=task.module_path, attempts=0)
    rows = list(fresh.order_by("run_at", "id").select_for_update(skip_locked=True)[:most])
    QueuedTask.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return [row.arguments["args"] for row in rows]


def prune_finished() -> int:
    """Remove tasks done a day ago and tasks dead for thirty; returns how many."""
    now = clock.now()
    done = QueuedTask.objects.filter(state=QueuedTask.State.DONE, finished_at__lt=now - DONE_KEPT)
    dead = QueuedTask.objects.dead().filter(finished_at__lt=now - DEAD_KEPT)
    return done.delete()[0] + dead.delete()[0]
