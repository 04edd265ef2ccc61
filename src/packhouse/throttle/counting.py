"""Where hits are counted: the database, Redis, or this process's memory."""

import math
import time
from functools import cache
from typing import Protocol

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F
from limits import RateLimitItem
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from packhouse.base import clock
from packhouse.base.sqlite import pragmas
from packhouse.throttle.limit import Usage
from packhouse.throttle.models import Counter

SHUNNED_FOR = 5.0
"""How long, in seconds, a place that failed is not asked again."""
PATIENCE = 1.0
"""How long, in seconds, Redis may take to answer."""
DATABASE_PATIENCE = 5.0
"""How long, in seconds, a hit waits for SQLite's writers: those who are many at once are no reason to count apart."""


class Unreachable(Exception):
    """The place does not answer."""


class Place(Protocol):
    """Somewhere to count hits.  All methods raise ``Unreachable``."""

    def hit(self, window: RateLimitItem, key: str) -> Usage: ...
    def look(self, window: RateLimitItem, key: str) -> Usage: ...
    def give_back(self, window: RateLimitItem, key: str) -> None: ...
    def clear(self, window: RateLimitItem, key: str) -> None: ...


# The row's counts as they stand at the hit's time.  A row of the next slot (another machine's clock is ahead) is kept.
# One of a slot further on is of a clock that has been set right since: its hits count as if they had come in this slot,
# so that no step of the clock gives anybody a fresh limit, and none shuts anybody out for longer than a window.
_USED = "CASE WHEN throttle_counter.slot >= excluded.slot THEN throttle_counter.used ELSE 0 END"
_FORMER = (
    "CASE WHEN throttle_counter.slot >= excluded.slot THEN throttle_counter.former "
    "WHEN throttle_counter.slot = excluded.slot - 1 THEN throttle_counter.used ELSE 0 END"
)
_ADMITTED = f"({_USED}) + ({_FORMER}) * %(weight)s + 1 <= %(quota)s"
_HIT = f"""
INSERT INTO throttle_counter (key, slot, used, former, admitted, expires)
VALUES (%(key)s, %(slot)s, 1, 0, TRUE, %(expires)s)
ON CONFLICT (key) DO UPDATE SET
    slot = CASE WHEN throttle_counter.slot = excluded.slot + 1 THEN throttle_counter.slot ELSE excluded.slot END,
    used = ({_USED}) + CASE WHEN {_ADMITTED} THEN 1 ELSE 0 END,
    former = {_FORMER},
    admitted = {_ADMITTED},
    expires = excluded.expires
RETURNING used, former, admitted
"""  # noqa: S608 - made of the constants above


class DatabasePlace:
    """Counts in our database, in one statement and one short transaction of its own.

    Must not be called inside of a transaction: a hit has to survive the roll-back of what it was for, and SQLite's one
    writer must not be held.  On SQLite a hit does not wait for the disk: losing some in a power cut is no harm.
    """

    def hit(self, window: RateLimitItem, key: str) -> Usage:
        now, seconds = clock.now().timestamp(), window.get_expiry()
        values: dict[str, str | int | float] = {
            "key": key,
            "slot": int(now // seconds),
            "weight": _weight(now, seconds),
            "quota": window.amount,
            "expires": int(now) + 2 * seconds,
        }
        try:
            with (
                pragmas(synchronous=1, busy_timeout=int(DATABASE_PATIENCE * 1000)),
                transaction.atomic(durable=True),
                connection.cursor() as cursor,
            ):
                cursor.execute(_HIT, values)
                used, former, admitted = cursor.fetchone()
        except (DatabaseError, InterfaceError) as error:
            raise Unreachable from error
        return _usage(window, now, used, former, admitted=bool(admitted))

    def look(self, window: RateLimitItem, key: str) -> Usage:
        now = clock.now().timestamp()
        slot = int(now // window.get_expiry())
        try:
            counter = Counter.objects.filter(key=key, slot__gte=slot - 1).first()
        except (DatabaseError, InterfaceError) as error:
            raise Unreachable from error
        if counter is None:
            return _usage(window, now, 0, 0)
        used, former = (0, counter.used) if counter.slot < slot else (counter.used, counter.former)
        return _usage(window, now, used, former)

    def give_back(self, window: RateLimitItem, key: str) -> None:
        slot = int(clock.now().timestamp() // window.get_expiry())  # the hit's own, or the one behind it
        counter = Counter.objects.filter(key=key)
        try:
            if not counter.filter(slot__in=(slot, slot - 1), used__gt=0).update(used=F("used") - 1):
                counter.filter(slot=slot, former__gt=0).update(former=F("former") - 1)
        except (DatabaseError, InterfaceError) as error:
            raise Unreachable from error

    def clear(self, window: RateLimitItem, key: str) -> None:
        try:
            Counter.objects.filter(key=key).delete()
        except (DatabaseError, InterfaceError) as error:
            raise Unreachable from error


class LibraryPlace:
    """Counts in a storage of the ``limits`` library.

    Where *shares* processes count each for itself, each admits its share, so that together they admit no more.
    """

    def __init__(self, storage: Storage, *, shares: int = 1) -> None:
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._shares = shares

    def hit(self, window: RateLimitItem, key: str) -> Usage:
        window = self._share(window)
        try:
            return self._usage(window, key, admitted=self._limiter.hit(window, key))
        except StorageError as error:
            raise Unreachable from error

    def look(self, window: RateLimitItem, key: str) -> Usage:
        window = self._share(window)
        try:
            return self._usage(window, key, admitted=self._limiter.test(window, key))
        except StorageError as error:
            raise Unreachable from error

    def give_back(self, window: RateLimitItem, key: str) -> None:
        try:
            self._limiter.hit(self._share(window), key, cost=-1)
        except StorageError as error:
            raise Unreachable from error

    def clear(self, window: RateLimitItem, key: str) -> None:
        try:
            self._limiter.clear(self._share(window), key)
        except StorageError as error:
            raise Unreachable from error

    def _share(self, window: RateLimitItem) -> RateLimitItem:
        return type(window)(max(1, window.amount // self._shares), window.multiples)

    def _usage(self, window: RateLimitItem, key: str, *, admitted: bool) -> Usage:
        reset_time, remaining = self._limiter.get_window_stats(window, key)
        return Usage(admitted, remaining, max(0, math.ceil(reset_time - time.time())))


class Chain:
    """The first place that answers, counting on in the next where one fails."""

    def __init__(self, *places: Place) -> None:
        self._places = places
        self._shunned_until = [0.0] * len(places)

    def hit(self, window: RateLimitItem, key: str) -> Usage:
        for number, place in self._answering():
            try:
                return place.hit(window, key)
            except Unreachable:
                self._shun(number)
        raise Unreachable

    def look(self, window: RateLimitItem, key: str) -> Usage:
        for number, place in self._answering():
            try:
                return place.look(window, key)
            except Unreachable:
                self._shun(number)
        raise Unreachable

    def give_back(self, window: RateLimitItem, key: str) -> None:
        for number, place in self._answering():
            try:
                place.give_back(window, key)
            except Unreachable:
                self._shun(number)
            else:
                return

    def clear(self, window: RateLimitItem, key: str) -> None:
        for number, place in self._answering():
            try:
                place.clear(window, key)
            except Unreachable:
                self._shun(number)

    def _answering(self) -> list[tuple[int, Place]]:
        now, last = time.monotonic(), len(self._places) - 1
        return [(n, p) for n, p in enumerate(self._places) if n == last or self._shunned_until[n] <= now]

    def _shun(self, number: int) -> None:
        self._shunned_until[number] = time.monotonic() + SHUNNED_FOR


@cache
def place() -> Chain:
    """Where this process counts: what ``PACKHOUSE_CACHE`` names, and behind it what replaces that."""
    memory = LibraryPlace(MemoryStorage(), shares=settings.PACKHOUSE.workers)
    url = settings.PACKHOUSE.cache
    if url == "database":
        return Chain(DatabasePlace(), memory)
    redis = RedisStorage(url, wrap_exceptions=True, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    return Chain(LibraryPlace(redis), DatabasePlace(), memory)


def probe_redis() -> str:
    """Asks the Redis that ``PACKHOUSE_CACHE`` names; raises ``Unreachable`` where it does not answer."""
    try:
        RedisStorage(
            settings.PACKHOUSE.cache, wrap_exceptions=True, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        ).get("packhouse-check")
    except StorageError as error:
        raise Unreachable(f"{error.storage_error}; limits are counted in the database meanwhile") from error
    return ""


def _weight(now: float, seconds: int) -> float:
    """The share of the window before the present slot that still lies within the last *seconds*."""
    return 1 - (now % seconds) / seconds


def _usage(window: RateLimitItem, now: float, used: int, former: int, *, admitted: bool | None = None) -> Usage:
    seconds = window.get_expiry()
    free = window.amount - used - former * _weight(now, seconds)
    return Usage(
        admitted=free >= 1 if admitted is None else admitted,
        remaining=max(0, math.floor(free)),
        reset_seconds=math.ceil(seconds - now % seconds),
    )
