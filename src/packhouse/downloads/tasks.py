"""Background work of the downloads room."""

from packhouse.downloads import actions
from packhouse.queue import background


@background("heavy", attempts=3, unique=True, time_limit=1800)
def forget_old() -> None:
    """Forget numbers that nobody looks at any more.  Safe to run twice."""
    actions.forget_old()
