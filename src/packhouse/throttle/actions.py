"""Using up limits."""

from packhouse.base import clock, metrics
from packhouse.throttle import counting
from packhouse.throttle.limit import Limit, Verdict
from packhouse.throttle.models import Counter


def hit(limit: Limit, *key: object) -> Verdict:
    """Use the limit up by one for *key*.  A hit that is refused uses up nothing, so that patience always helps.

    Call it before the transaction of the work itself: it is counted even where that is rolled back.
    """
    place, usages, admitted = counting.place(), [], True
    for window, name in zip(limit.windows, limit.keys(key), strict=True):
        usages.append(usage := place.hit(window, name) if admitted else place.look(window, name))
        admitted = admitted and usage.admitted
    if not admitted:
        metrics.count("packhouse_limited", limit.name)
    return Verdict(tuple(usages))


def give_back(limit: Limit, *key: object) -> None:
    """Undo one admitted hit of *key*: what counts only failures hits first, and gives back where it succeeded."""
    for window, name in zip(limit.windows, limit.keys(key), strict=True):
        counting.place().give_back(window, name)


def clear(limit: Limit, *key: object) -> None:
    """Give *key* its whole limit back."""
    for window, name in zip(limit.windows, limit.keys(key), strict=True):
        counting.place().clear(window, name)


def forget_expired() -> int:
    """Delete the counters that say nothing any more; returns how many.  To be run by the clock."""
    return Counter.objects.filter(expires__lt=int(clock.now().timestamp())).delete()[0]
