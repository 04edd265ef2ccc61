"""Keys that the cache in front has yet to hear of."""

from django.db import models


class Waiting(models.Model):
    """A key to be purged once *due*, in *round* 0, 1, …; the row goes after the last one.

    Rows are not unique by key: writers never wait for each other's, and who purges sees all of them.
    """

    key = models.CharField(max_length=512)
    due = models.DateTimeField(db_index=True)
    round = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.key}, round {self.round}"
