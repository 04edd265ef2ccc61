"""What was verified of files."""

from django.db import models

from packhouse.base import clock
from packhouse.projects.models import File


class Provenance(models.Model):
    """The provenance object of a file, which never changes and goes with the file.

    ``body`` is its JSON as it is served, to the byte.  ``publisher`` is the publisher in it; ``statements`` says of
    each attestation what people want to know, in the shape of ``statements.Statement``.
    """

    file = models.OneToOneField(File, on_delete=models.CASCADE, primary_key=True, related_name="provenance")
    body = models.TextField()
    publisher = models.JSONField()
    statements = models.JSONField()
    created = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"provenance of {self.file_id}"


class Root(models.Model):
    """The trusted root of the public Sigstore as it was fetched last; there is one row at most.

    ``beside`` is the SHA-256 of the one that the library carried then: with another library, its own is newer until
    the next time.
    """

    name = models.CharField(max_length=16, primary_key=True, default="public")
    body = models.TextField()
    beside = models.CharField(max_length=64)
    fetched = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.name
