"""What people do about dead tasks, and what the clock does about old ones."""

from datetime import timedelta

from packhouse.base import clock
from packhouse.queue.models import QueuedTask

DONE_KEPT = timedelta(days=1)
DEAD_KEPT = timedelta(days=30)


def retry_dead(task_id: int) -> bool:
    """Queue the dead task *task_id* again with all its attempts; False when there is no such dead task."""
    dead = QueuedTask.objects.dead().filter(pk=task_id)
    waiting = QueuedTask.State.WAITING
    return dead.update(state=waiting, attempts=0, run_at=clock.now(), finished_at=None) == 1


def discard_dead(task_id: int) -> bool:
    """Remove the dead task *task_id* for good; False when there is no such dead task."""
    return QueuedTask.objects.dead().filter(pk=task_id).delete()[0] == 1


def prune_finished() -> int:
    """Remove tasks done a day ago and tasks dead for thirty; returns how many."""
    now = clock.now()
    done = QueuedTask.objects.filter(state=QueuedTask.State.DONE, finished_at__lt=now - DONE_KEPT)
    dead = QueuedTask.objects.dead().filter(finished_at__lt=now - DEAD_KEPT)
    return done.delete()[0] + dead.delete()[0]
