"""Background work of purging."""

from packhouse.purge import actions
from packhouse.queue import background


@background("purge", attempts=30, time_limit=120, unique=True, backoff=1.0)
def purge_due() -> None:
    """Purge what waits, and come back when more is due.  Safe to run twice: a key may be purged too often."""
    following = actions.purge_waiting()
    if following is not None:
        purge_later.using(run_after=following).enqueue()


@background("purge", attempts=30, time_limit=120, unique=True, backoff=1.0)
def purge_later() -> None:
    """The rounds after the first; a task of its own, so that one that is not yet due delays no first round."""
    purge_due.call()


@background("purge", attempts=30, time_limit=120, unique=True, backoff=1.0)
def sweep() -> None:
    """By the clock: what has been left waiting by tasks that used up their attempts."""
    purge_due.call()
