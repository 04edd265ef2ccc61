"""Forgetting keys: promised in the writer's transaction, kept by a task."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Min, Q

from packhouse.base import clock, metrics
from packhouse.purge import ports
from packhouse.purge.models import Waiting
from packhouse.queue.models import SKEW

AGAIN: Final = (timedelta(seconds=3), timedelta(seconds=60))
"""How long after the first round the others follow.

What a reader asked for just before the change was visible is in the cache seconds later; other machines follow the
change feed within one; and the slowest page that is answered at all takes a minute.
"""
AT_ONCE: Final = 4096


def is_needed() -> bool:
    """Whether there is a cache that must be told."""
    return bool(settings.PACKHOUSE.purge != ports.NOBODY)


def forget(keys: Iterable[str]) -> None:
    """Have the cache in front purge *keys* once this transaction is committed.  Without such a cache, nothing."""
    if not is_needed():
        return
    now = clock.now()
    rows = [Waiting(key=key, due=now) for key in dict.fromkeys(keys)]
    if not rows:
        return
    from packhouse.purge.tasks import purge_due  # noqa: PLC0415 - which needs this module

    with transaction.atomic():
        Waiting.objects.bulk_create(rows, batch_size=1000)
        purge_due.enqueue()


def purge_waiting() -> datetime | None:
    """Purge what is due, each key once however often it waits; returns when more will be due, None for never.

    Raises ``ports.Failed``; then all of it waits on.
    """
    while True:
        rows = list(Waiting.objects.filter(_is_due(clock.now())).order_by("pk")[:AT_ONCE])
        if not rows:
            following: datetime | None = Waiting.objects.aggregate(next=Min("due"))["next"]
            return following
        _purge(list(dict.fromkeys(row.key for row in rows)))
        _settle(rows)


def _is_due(now: datetime) -> Q:
    """What waits for longer than any round does was noted by a clock that was ahead and has been set right since."""
    return Q(due__lte=now) | Q(due__gt=now + AGAIN[-1] + SKEW)


def _purge(keys: Sequence[str]) -> None:
    try:
        ports.plugged_in().purge(keys)
    except ports.Failed:
        metrics.count("packhouse_upstream_errors", "purge")
        raise
    metrics.count("packhouse_purged", by=len(keys))


def _settle(rows: Sequence[Waiting]) -> None:
    """Note the round of *rows*: each waits for its next one, or is done with.

    Of rows that wait for the same round with the same key, only the last one stays.
    """
    now = clock.now()
    with transaction.atomic():
        Waiting.objects.filter(pk__in=[row.pk for row in rows]).delete()
        following = {
            (row.key, row.round + 1): Waiting(key=row.key, due=now + AGAIN[row.round], round=row.round + 1)
            for row in rows
            if row.round < len(AGAIN)
        }
        Waiting.objects.bulk_create(following.values(), batch_size=1000)
