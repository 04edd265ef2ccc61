"""Tasks that run by the clock.  ``packhouse.schedule`` lists them; any number of workers fire each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string
from django_tasks.base import Task

from packhouse.base import clock
from packhouse.queue.models import Schedule


@dataclass(frozen=True, slots=True)
class Every:
    """*task*, queued every *seconds* (counted from the epoch, so that all machines mean the same moments)."""

    task: Task[[], Any]
    seconds: int

    def after(self, moment: datetime) -> datetime:
        """The first time to run after *moment*."""
        return datetime.fromtimestamp((moment.timestamp() // self.seconds + 1) * self.seconds, UTC)


@dataclass(frozen=True, slots=True)
class Daily:
    """*task*, queued once a day *at* this time of day, in UTC."""

    task: Task[[], Any]
    at: time

    def after(self, moment: datetime) -> datetime:
        today = datetime.combine(moment.astimezone(UTC), self.at, UTC)
        return today if today > moment else today + timedelta(days=1)


def scheduled() -> Sequence[Every | Daily]:
    """What ``packhouse.schedule`` lists."""
    entries: Sequence[Every | Daily] = import_string(settings.PACKHOUSE_SCHEDULE)
    return entries


def fire_due(entries: Sequence[Every | Daily]) -> datetime | None:
    """Queue each of *entries* that is due, and say when the next one will be (None: there is none).

    Of all workers that try, the one whose conditional update changes the row queues the task, in the same transaction.
    Times that passed while nobody worked are made up for by one run.
    """
    now = clock.now()
    known = dict(Schedule.objects.values_list("name", "next_run"))
    return min((_advance(entry, known.get(entry.task.module_path), now) for entry in entries), default=None)


def _advance(entry: Every | Daily, planned: datetime | None, now: datetime) -> datetime:
    """Queue *entry* if its *planned* time has come, and return its next one."""
    name, following = entry.task.module_path, entry.after(now)
    if planned is None:
        Schedule.objects.bulk_create([Schedule(name=name, next_run=following)], ignore_conflicts=True)
        return following
    if now < planned <= following:
        return planned
    with transaction.atomic():  # it is due, or its period has become shorter
        won = Schedule.objects.filter(name=name, next_run=planned).update(next_run=following)
        if won and planned <= now:
            entry.task.enqueue()
    return following
