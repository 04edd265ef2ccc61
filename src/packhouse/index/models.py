"""What of the index is a row: files that nobody may have any more, though they are still in the store."""

from django.db import models


class Doomed(models.Model):
    """A file that was deleted while it was in quarantine.  It is given to nobody until its blob is gone, and then this.

    ``path`` is the blob's key in the store, that of its metadata is the same with ``.metadata``.
    """

    path = models.CharField(max_length=512, primary_key=True)

    def __str__(self) -> str:
        return self.path
