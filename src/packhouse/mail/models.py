"""Letters and what is known of their delivery."""

import uuid
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from packhouse.base import clock
from packhouse.queue.models import QueuedTask

_UNSENT = RawSQL("'queued', 'sending'", ())
"""The states of letters that have not left, in the query itself: of values that come later SQLite cannot know that they
are those of the index ``letter_unsent``, and would look at all letters that an address has ever got."""


class LetterQuerySet(models.QuerySet["Letter"]):
    """Letters that can be asked for by what has become of them."""

    def unsent(self) -> Self:
        """Still to be handed over, or being handed over."""
        return self.filter(state__in=_UNSENT)

    def claimable(self, stale: datetime, task: int | None) -> Self:
        """Waiting, or claimed by somebody who has not said since what became of it, and will not any more.

        That is whoever claimed it before *stale*, an earlier attempt of this very *task*, and a task that runs no
        longer: its worker was killed, and the queue knows.
        """
        run = QueuedTask.objects.running().filter(pk=OuterRef("claimed_task"), attempts=OuterRef("claimed_attempt"))
        gone = Q(claimed_at__lt=stale) | (Q(claimed_task__isnull=False) & (Q(claimed_task=task) | ~Exists(run)))
        return self.filter(Q(state=Letter.State.QUEUED) | (Q(state=Letter.State.SENDING) & gone))


class Letter(models.Model):
    """One message to one address."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        DELAYED = "delayed", _("returned for now")
        BOUNCED = "bounced", _("returned for good")
        COMPLAINED = "complained", _("reported as spam")
        FAILED = "failed", _("could not be sent")
        WITHHELD = "withheld", _("withheld: too many")

    class Kind(models.TextChoices):
        """What a letter is for, which says how many of them one address may get."""

        SECURITY = "security", _("security")
        REQUESTED = "requested", _("requested")
        NOTICE = "notice", _("notice")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="its Message-ID is made of it")
    name = models.CharField(max_length=64, help_text="which letter it is, such as password-reset")
    cause = models.CharField(max_length=200, help_text="what it tells of; one letter to an address for each cause")
    kind = models.CharField(max_length=16, choices=Kind)
    to = models.EmailField(max_length=254)
    user_id = models.BigIntegerField(null=True, db_index=True)
    language = models.CharField(max_length=10)
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField()
    is_secret = models.BooleanField(help_text="its text lets whoever reads it in, and is not kept once it has left")
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    provider_id = models.CharField(max_length=255, blank=True, help_text="the name the port knows it by")
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    created_at = models.DateTimeField(default=clock.now)
    claimed_at = models.DateTimeField(null=True)
    claimed_task = models.BigIntegerField(null=True, help_text="the queued task that claimed it")
    claimed_attempt = models.PositiveSmallIntegerField(null=True, help_text="and which attempt of it")
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True, help_text="when it was last heard of")

    objects = LetterQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cause", "to"], name="letter_once_for_each_cause"),
            models.UniqueConstraint(fields=["provider_id"], name="letter_provider_id", condition=~Q(provider_id="")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["to", "kind", "created_at"], name="letter_window"),
            models.Index(fields=["to", "id"], name="letter_unsent", condition=Q(state__in=("queued", "sending"))),
            models.Index(fields=["state", "-id"], name="letter_state"),
            models.Index(fields=["created_at"], name="letter_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name} to {self.to}"


class Notification(models.Model):
    """A notification of SNS that has taken effect, so that its next copy has none."""

    message_id = models.CharField(max_length=100, primary_key=True)
    received_at = models.DateTimeField(default=clock.now, db_index=True)

    def __str__(self) -> str:
        return self.message_id
