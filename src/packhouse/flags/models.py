"""Flags that somebody has set."""

from django.db import models

from packhouse.base import clock


class Flag(models.Model):
    """The state of a flag.  A flag of ``known.KNOWN`` without a row is off; what it does is written there.

    ``notify`` shows that text on every page while the flag is on.
    """

    name = models.CharField(max_length=64, primary_key=True)
    enabled = models.BooleanField(default=False)
    notify = models.BooleanField(default=False)
    changed = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name
