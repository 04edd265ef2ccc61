"""The trail of events."""

from typing import ClassVar

from django.db import models

from packhouse.base import clock


class Event(models.Model):
    """One thing that somebody did.  Written in the transaction of the change itself, never changed afterwards.

    ``actor_id`` and ``actor`` are the user's number and name at that time (empty: the operator or the index itself);
    ``token`` is the API token that was used.
    """

    at = models.DateTimeField(default=clock.now, db_index=True)
    tag = models.CharField(max_length=64, db_index=True)
    subject_kind = models.CharField(max_length=16)
    subject_id = models.CharField(max_length=64)
    subject_name = models.CharField(max_length=255, blank=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    actor = models.CharField(max_length=50, blank=True)
    token = models.UUIDField(null=True, blank=True)
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=512, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    additional = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject_kind", "subject_id", "-at"], name="event_by_subject"),
            models.Index(fields=["actor_id", "-at"], name="event_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.tag} {self.subject_kind} {self.subject_id}"
