"""The queue's own background work."""

from packhouse.queue import actions, background


@background("default", attempts=3, unique=True)
def prune_finished() -> None:
    """Forget what has been done long ago.  Safe to run twice."""
    actions.prune_finished()
