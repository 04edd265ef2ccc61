"""Asking how far a limit is used."""

from packhouse.throttle import counting
from packhouse.throttle.limit import Limit, Verdict


def test(limit: Limit, *key: object) -> Verdict:
    """What a hit would be told now; uses up nothing."""
    pairs = zip(limit.windows, limit.keys(key), strict=True)
    return Verdict(tuple(counting.place().look(window, name) for window, name in pairs))
