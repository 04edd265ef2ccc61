"""Background work of integrations."""

from packhouse.integrations import actions
from packhouse.queue import background


@background("default", attempts=3, time_limit=600, unique=True)
def mark_new_releases() -> None:
    """Mark releases that were published since.  Safe to run twice."""
    actions.mark_new_releases()
