"""Counters of hits."""

from django.db import models


class Counter(models.Model):
    """The hits of one key in one window.

    ``slot`` numbers the windows since the epoch; ``used`` counts the admitted hits of that slot, ``former`` those of
    the slot before.  ``admitted`` says what became of the newest hit.  ``expires`` (seconds since the epoch) is when
    the row says nothing any more.
    """

    key = models.CharField(max_length=120, primary_key=True)
    slot = models.BigIntegerField()
    used = models.IntegerField()
    former = models.IntegerField()
    admitted = models.BooleanField()
    expires = models.BigIntegerField(db_index=True)

    def __str__(self) -> str:
        return self.key
