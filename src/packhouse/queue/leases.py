"""Taking tasks, holding them, and letting go of them: every change of a queued task's state.

A worker's *name* is unique to its process.  Whatever a worker writes about a task is conditional on its still holding
the lease of that very attempt; a worker that lost it (it was suspended, say) cannot undo what the next one did.
"""

import logging
import random
import re
import traceback
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Least

from packhouse.base import clock, logs
from packhouse.queue import Later
from packhouse.queue.models import LONGEST_BACKOFF, QueuedTask

log = logging.getLogger(__name__)

LONGEST_ERROR = 8000
MOST_LOSSES = 20
"""Attempts that a task has at least when its workers are lost, which need not be its fault."""
LONGEST_WAIT_AFTER_LOSS = timedelta(seconds=10)
"""However often: what a task waits for after a failure, others to come back, has nothing to do with it."""
MOST_TWINS = 5000  # databases bound the parameters of one statement
_FREE: dict[str, Any] = {"lease_by": "", "lease_until": None}
_NAMED_SECRET = re.compile(r"(?i)\b(\w*(?:passw|secret|token|api_?key)\w*\W{1,3})[^\s'\",)]+")


def due_queues(queues: Sequence[str]) -> set[str]:
    """Which of *queues* have something to do.  One cheap query, because idle workers ask it all day."""
    if not queues:
        return set()
    table = connection.ops.quote_name(QueuedTask._meta.db_table)  # Django's public way to the name
    one = f"SELECT %s WHERE EXISTS (SELECT 1 FROM {table} WHERE state = 'waiting' AND queue = %s AND run_at <= %s)"  # noqa: S608
    now = connection.ops.adapt_datetimefield_value(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join([one] * len(queues)), [part for queue in queues for part in (queue, queue, now)]
        )
        return {queue for (queue,) in cursor.fetchall()}


def claim(queue: str, *, name: str, lease: timedelta, limit: int = 1) -> list[QueuedTask]:
    """Take up to *limit* due tasks of *queue*; waiting duplicates of a unique one disappear into it.

    Duplicates collapse here and not when they are queued: what is waiting now was committed before this run starts, so
    the run sees the change of every one of them, and writers never wait for each other's rows.
    """
    now = clock.now()
    with transaction.atomic():
        due = QueuedTask.objects.due(queue, now).select_for_update(skip_locked=True)
        rows = _first_of_each_key(due[:limit])
        _absorb_twins(rows)
        for row in rows:
            row.state, row.lease_by, row.lease_until = QueuedTask.State.RUNNING, name, now + lease
            row.started_at, row.attempts = now, row.attempts + 1
        QueuedTask.objects.bulk_update(rows, ["state", "lease_by", "lease_until", "started_at", "attempts"])
    return rows


def renew(rows: Iterable[QueuedTask], *, name: str, lease: timedelta) -> None:
    """Tell that *rows* are still being worked on.

    Never waits for a row: whoever has changed one of several, and waits for another, is that very task, settling.
    """
    held = QueuedTask.objects.running().filter(pk__in=[row.pk for row in rows], lease_by=name)
    unlocked = held.select_for_update(skip_locked=True).values("pk")
    with transaction.atomic():
        QueuedTask.objects.filter(pk__in=unlocked).update(lease_until=clock.now() + lease)


def settle(row: QueuedTask, failure: BaseException | None) -> bool:
    """Note what became of *row*: nothing went wrong, or *failure* did; False when its lease was lost meanwhile."""
    if isinstance(failure, Later):
        return give_back(row, delay=timedelta(seconds=failure.seconds))
    if failure is not None:
        return fail(row, describe(failure))
    return row.state == QueuedTask.State.DONE or finish(row)


def finish(row: QueuedTask) -> bool:
    """Note that *row* is done; False when its lease was lost meanwhile (somebody runs it again).

    A task may do so itself, in the transaction of its effect: both are committed together, or neither.
    """
    row.state = QueuedTask.State.DONE
    return _settle(row, state=QueuedTask.State.DONE, finished_at=clock.now(), last_error="")


def fail(row: QueuedTask, error: str, *, delay: timedelta | None = None) -> bool:
    """Note that this attempt failed: try again after *delay*, or, when the attempts are used up, keep *row* dead."""
    now = clock.now()
    if row.attempts >= row.max_attempts:
        log.error("task %s of queue %s is dead after %d attempts", row, row.queue, row.attempts)
        return _settle(row, state=QueuedTask.State.DEAD, finished_at=now, last_error=error)
    run_at = now + (delay_after(row.attempts, row.backoff) if delay is None else delay)
    log.warning("task %s failed (attempt %d of %d), next at %s", row, row.attempts, row.max_attempts, run_at)
    waits = {"state": QueuedTask.State.WAITING, "run_at": run_at, "max_attempts": row.max_attempts}
    return _settle(row, **waits, last_error=error)


def lose(row: QueuedTask) -> bool:
    """Note that *row* was cut off: its time limit was reached, or its worker is gone.

    The first loss of a worker is nobody's fault as a rule, so the task runs again at once; a task that loses it again
    may be what kills it, and waits, so that others get their turn.  It is given up after ``MOST_LOSSES`` attempts, or
    all of its own.
    """
    if row.is_over_its_limit(clock.now()):
        return fail(row, f"TimeoutError: killed at its time limit of {row.time_limit} s")
    row.max_attempts = max(row.max_attempts, min(MOST_LOSSES, row.attempts + 1))
    delay = min(delay_after(row.attempts, row.backoff), LONGEST_WAIT_AFTER_LOSS) if row.attempts > 1 else timedelta()
    return fail(row, "RuntimeError: its worker was lost", delay=delay)


def give_back(row: QueuedTask, *, delay: timedelta = timedelta()) -> bool:
    """Let somebody run *row* at once, or after *delay*, as if it had been queued just now and never been started."""
    now = clock.now()
    return _settle(row, state=QueuedTask.State.WAITING, run_at=now + delay, enqueued_at=now, attempts=row.attempts - 1)


def recover_from(name: str) -> int:
    """Let go of everything that the worker *name*, which is gone, held; returns how many tasks that were.

    If one of them was over its time limit, it was the reason and the others are given back; if none was, each may have
    killed its worker, and the attempt counts.
    """
    now = clock.now()
    rows = list(QueuedTask.objects.running().filter(lease_by=name))
    guilty = [row for row in rows if row.is_over_its_limit(now)]
    for row in rows:
        if row in guilty or not guilty:
            lose(row)
        else:
            give_back(row)
    return len(rows)


def recover_expired() -> int:
    """Let go of tasks whose worker has not renewed its lease: it was killed, or its machine is gone."""
    rows = list(QueuedTask.objects.expired(clock.now())[:100])
    for row in rows:
        lose(row)
    return len(rows)


def release_held_back() -> int:
    """Make tasks due that would wait for a time which only a wrong clock has seen; returns how many that were.

    Those that another machine is just then making due are left to it, so that the two never wait for each other.
    """
    now = clock.now()
    with transaction.atomic():
        unlocked = QueuedTask.objects.held_back(now).select_for_update(skip_locked=True).values("pk")
        held = QueuedTask.objects.filter(pk__in=unlocked)
        return held.update(run_at=now, enqueued_at=Least("enqueued_at", Value(now)))


def delay_after(attempts: int, backoff: float) -> timedelta:
    """How long to wait after *attempts* failures: doubling, an hour at most, half of it left to chance."""
    longest = min(LONGEST_BACKOFF.total_seconds(), backoff * 2.0 ** (attempts - 1))
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  # spreads load, hides nothing


def describe(error: BaseException) -> str:
    """The traceback, its end if it is long, without what looks like a secret, nor what no database takes."""
    text = "".join(traceback.format_exception(error)).encode(errors="backslashreplace").decode()
    return _NAMED_SECRET.sub(rf"\1{logs.HIDDEN}", logs.mask(text)).replace("\0", "")[-LONGEST_ERROR:]


def _settle(row: QueuedTask, **changes: Any) -> bool:
    held = QueuedTask.objects.running().filter(pk=row.pk, lease_by=row.lease_by, attempts=row.attempts)
    if held.update(**_FREE, **changes) == 1:
        return True
    log.warning("task %s was taken over by another worker; its outcome here is dropped", row)
    return False


def _first_of_each_key(rows: Iterable[QueuedTask]) -> list[QueuedTask]:
    seen: dict[str, QueuedTask] = {}
    for row in rows:
        seen.setdefault(row.dedupe or str(row.pk), row)
    return list(seen.values())


def _absorb_twins(rows: Sequence[QueuedTask]) -> None:
    """Delete the waiting duplicates of *rows*, except those that somebody else has just locked to run them.

    The run inherits the attempts of the freshest: a new request is not lost because an old one was about to give up.
    """
    by_key: dict[str | None, QueuedTask] = {row.dedupe: row for row in rows if row.dedupe}
    if not by_key:
        return
    others = QueuedTask.objects.waiting().filter(dedupe__in=by_key).exclude(pk__in=[row.pk for row in rows])
    twins = list(others.select_for_update(skip_locked=True)[:MOST_TWINS])
    for twin in twins:
        row = by_key[twin.dedupe]
        row.attempts = min(row.attempts, twin.attempts)
    QueuedTask.objects.filter(pk__in=[twin.pk for twin in twins]).delete()
