"""Background work of the documents room."""

from datetime import timedelta

from packhouse.base import clock
from packhouse.documents.models import Change
from packhouse.queue import background

KEEP = timedelta(hours=1)


@background("default", attempts=3, unique=True)
def prune_changes() -> None:
    """Forget changes that every reader has seen long ago, but never the newest.  Safe to run twice."""
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    Change.objects.filter(at__lt=clock.now() - KEEP, pk__lt=newest).delete()
