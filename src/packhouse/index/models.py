"""What of the index is a row: files that nobody may have any more, though they are still in the store."""

from django.db import models


class Doomed(models.Model):
    """A deleted file whose blob has yet to leave the store, not before ``due``; then this row goes, too.

    ``path`` is the blob's key in the store, that of its metadata is the same with ``.metadata``.  ``project`` is the
    normalized name of what it belonged to.  Those ``withheld``, since they were in quarantine, are given to nobody.
    """

    path = models.CharField(max_length=512, primary_key=True)
    project = models.CharField(max_length=200)
    due = models.DateTimeField(db_index=True)
    withheld = models.BooleanField()

    def __str__(self) -> str:
        return self.path
