"""Background work of the documents room."""

from datetime import timedelta

from packhouse.base import clock
from packhouse.documents.models import Change

KEEP = timedelta(hours=1)


def prune_changes() -> int:
    """Forget changes that every reader has seen long ago, but never the newest.  Safe to run twice."""
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return Change.objects.filter(at__lt=clock.now() - KEEP, pk__lt=newest).delete()[0]
