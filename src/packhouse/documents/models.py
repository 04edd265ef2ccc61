"""Documents, their segments, and the feed of what changed.

All bodies are raw deflate streams that end in a full flush (RFC 1951), so that they can be joined.
"""

from typing import ClassVar

from django.db import models

from packhouse.base import clock


class Document(models.Model):
    """One document in up to two formats.  The first segment's items live in the row itself (``html``, ``json``).

    ``shared`` is a piece of JSON that documents below this one borrow (a project's ownership, for its releases).
    ``serial`` is -1 for a document that is of no serial.  ``made`` is the number of the edition that it is of, see
    ``edition``.
    """

    key = models.CharField(max_length=420, primary_key=True)
    serial = models.BigIntegerField(default=0)
    segmented = models.BooleanField(default=False)
    shared = models.TextField(blank=True)
    html_head = models.BinaryField(default=b"")
    html = models.BinaryField(default=b"")
    html_tail = models.BinaryField(default=b"")
    json_head = models.BinaryField(default=b"")
    json = models.BinaryField(default=b"")
    json_tail = models.BinaryField(default=b"")
    made = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.key


class Segment(models.Model):
    """Items of a large document from the sort key ``first`` up to the next segment's.

    ``serial`` is the document's at the time of the last write, so that a reader can fetch what it does not have yet.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="segments", db_index=False)
    first = models.BinaryField()
    serial = models.BigIntegerField(default=0)
    html = models.BinaryField(default=b"")
    json = models.BinaryField(default=b"")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["document", "first"], name="segment_unique_first")]
        indexes: ClassVar = [models.Index(fields=["document", "serial"], name="segment_by_serial")]


class Change(models.Model):
    """A document changed.  Ids are visible in commit order (see ``actions.serial_lock``); old rows are pruned."""

    key = models.CharField(max_length=420)
    at = models.DateTimeField(default=clock.now, db_index=True)
