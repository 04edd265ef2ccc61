"""Questions about the queue."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from packhouse.base import clock
from packhouse.queue import QUEUES
from packhouse.queue.models import QueuedTask


@dataclass(frozen=True, slots=True)
class QueueAge:
    """How one queue is doing.  *oldest_seconds*: how long its longest due task has been waiting; 0 when none is due."""

    queue: str
    waiting: int
    oldest_seconds: float
    running: int
    dead: int


def queue_ages() -> list[QueueAge]:
    """Every queue, idle ones too, in the order of ``QUEUES``.  One query."""
    now = clock.now()
    waiting, due = Q(state=QueuedTask.State.WAITING), Q(state=QueuedTask.State.WAITING, run_at__lte=now)
    rows = (
        QueuedTask.objects.filter(state__in=(QueuedTask.State.WAITING, QueuedTask.State.RUNNING, QueuedTask.State.DEAD))
        .values("queue")
        .annotate(
            waiting=Count("pk", filter=waiting),
            oldest=Min("run_at", filter=due),
            running=Count("pk", filter=Q(state=QueuedTask.State.RUNNING)),
            dead=Count("pk", filter=Q(state=QueuedTask.State.DEAD)),
        )
    )
    found = {row["queue"]: row for row in rows}
    return [_age(queue, found.get(queue, {}), now) for queue in sorted({*QUEUES, *found}, key=_order)]


def dead_tasks(limit: int = 100) -> list[QueuedTask]:
    """Tasks whose attempts are used up, the latest first, with their last error."""
    return list(QueuedTask.objects.dead().order_by("-finished_at", "-pk")[:limit])


def _age(queue: str, row: dict[str, object], now: datetime) -> QueueAge:
    oldest = row.get("oldest")
    seconds = (now - oldest).total_seconds() if isinstance(oldest, datetime) else 0.0
    counts = {name: row.get(name, 0) for name in ("waiting", "running", "dead")}
    return QueueAge(queue=queue, oldest_seconds=seconds, **counts)  # type: ignore[arg-type]


def _order(queue: str) -> tuple[int, str]:
    return (QUEUES.index(queue) if queue in QUEUES else len(QUEUES), queue)
