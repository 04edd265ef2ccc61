"""Background work of the throttle."""

from packhouse.queue import background
from packhouse.throttle import actions


@background("default", attempts=3, unique=True)
def forget_expired() -> None:
    """Delete counters whose windows are over.  Safe to run twice."""
    actions.forget_expired()
