"""Rows of the task queue."""

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

LONGEST_BACKOFF = timedelta(hours=1)
LONGEST_LEASE = timedelta(hours=1)
SKEW = timedelta(minutes=1)
"""By how much the clocks of machines may differ without meaning anything."""


class QueuedTaskQuerySet(models.QuerySet["QueuedTask"]):
    def waiting(self) -> Self:
        return self.filter(state=QueuedTask.State.WAITING)

    def running(self) -> Self:
        return self.filter(state=QueuedTask.State.RUNNING)

    def dead(self) -> Self:
        return self.filter(state=QueuedTask.State.DEAD)

    def due(self, queue: str, now: datetime) -> Self:
        """What a worker may take from *queue*, the longest due first."""
        return self.waiting().filter(queue=queue, run_at__lte=now).order_by("run_at", "id")

    def expired(self, now: datetime) -> Self:
        """Running tasks whose worker has not renewed its lease, or got it from a clock that was far ahead."""
        return self.running().filter(Q(lease_until__lt=now) | Q(lease_until__gt=now + LONGEST_LEASE))

    def held_back(self, now: datetime) -> Self:
        """Tasks that wait only because a clock was ahead when they were queued or put off, and has been set right."""
        queued_ahead = Q(enqueued_at__gt=now + SKEW)
        put_off_ahead = Q(attempts__gt=0, run_at__gt=now + LONGEST_BACKOFF + SKEW)
        return self.waiting().filter(queued_ahead | put_off_ahead, run_at__gt=now)


class QueuedTask(models.Model):
    """One call of a task: what to run, and how far it has come.

    One that is put off, given back, or tried again after its death counts as queued anew (``enqueued_at``).
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        DONE = "done"
        DEAD = "dead"

    queue = models.CharField(max_length=32)
    name = models.CharField(max_length=255, help_text="import path of the task")
    arguments = models.JSONField(help_text='{"args": […], "kwargs": {…}}')
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often it has been started")
    max_attempts = models.PositiveSmallIntegerField()
    time_limit = models.PositiveIntegerField(help_text="seconds")
    backoff = models.FloatField(help_text="seconds before the second attempt")
    dedupe = models.CharField(  # noqa: DJ001  # NULL keeps the many without a key out of the index
        max_length=64, null=True, help_text="waiting tasks with the same key collapse"
    )
    run_at = models.DateTimeField()
    lease_by = models.CharField(max_length=128, blank=True)
    lease_until = models.DateTimeField(null=True)
    enqueued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, help_text="of the last attempt")
    finished_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    objects = QueuedTaskQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["queue", "run_at", "id"], name="queue_task_due", condition=Q(state="waiting")),
            models.Index(fields=["dedupe", "state"], name="queue_task_twins", condition=Q(dedupe__isnull=False)),
            models.Index(fields=["state", "finished_at"], name="queue_task_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="queue_task_leased_while_running",
                condition=Q(state="running", lease_until__isnull=False) | (~Q(state="running") & Q(lease_by="")),
            ),
            models.CheckConstraint(name="queue_task_attempts_bounded", condition=Q(attempts__lte=F("max_attempts"))),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"

    def is_over_its_limit(self, now: datetime) -> bool:
        return self.started_at is not None and now - self.started_at >= timedelta(seconds=self.time_limit)


class Schedule(models.Model):
    """When a periodic task is queued next."""

    name = models.CharField(max_length=255, primary_key=True)
    next_run = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
