"""Reading the trail."""

from datetime import datetime

from django.db.models import QuerySet

from packhouse.audit.models import Event


def events_of(kind: str, subject_id: str, *, since: datetime | None = None) -> QuerySet[Event]:
    """Events of one subject, newest first; ``since`` leaves out older ones."""
    events = Event.objects.filter(subject_kind=kind, subject_id=subject_id)
    if since is not None:
        events = events.filter(at__gte=since)
    return events.order_by("-at", "-pk")
