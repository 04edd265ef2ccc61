"""What is kept for searching.  All of it can be made anew from the projects, but for the downloads."""

from typing import ClassVar

from django.db import models

from packhouse.base import clock


class Downloads(models.Model):
    """How often a project's files were downloaded in the last 30 days, or an estimate of it."""

    project_id = models.BigIntegerField(primary_key=True)
    count = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.project_id}: {self.count}"


class Entry(models.Model):
    """A project as it is found and shown, from its latest release.

    ``place`` is the order by downloads, see ``entries.place_of``.  ``compact`` is the name without separators.
    ``import_names`` and ``keywords`` are divided by spaces and commas.  ``facets`` holds ids of ``Facet``, four bytes
    each.  ``project_id`` is no foreign key: an entry lives on for seconds when its project is gone, and whoever shows
    it looks whether the project is there.
    """

    place = models.BigIntegerField(primary_key=True)
    project_id = models.BigIntegerField(unique=True)
    name = models.CharField(max_length=200)
    normalized_name = models.CharField(max_length=200)
    compact = models.CharField(max_length=200, db_index=True)
    version = models.CharField(max_length=200)
    summary = models.CharField(max_length=512, blank=True)
    keywords = models.TextField(blank=True)
    import_names = models.TextField(blank=True)
    downloads = models.BigIntegerField(default=0)
    created = models.DateTimeField()
    updated = models.DateTimeField()
    archived = models.BooleanField(default=False)
    facets = models.BinaryField(default=b"")

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["-updated", "place"], name="entry_by_update"),
            models.Index(fields=["-created", "place"], name="entry_by_creation"),
        ]

    def __str__(self) -> str:
        return self.name


class Facet(models.Model):
    """A value that results can be narrowed by.  Rows are never changed or deleted, so that processes may keep them."""

    class Kind(models.TextChoices):
        CLASSIFIER = "classifier", "classifier"
        PYTHON = "python", "python"
        LICENSE = "license", "license"
        HAS = "has", "has"

    kind = models.CharField(max_length=12, choices=Kind)
    value = models.CharField(max_length=512)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "value"], name="facet_unique_value")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class Word(models.Model):
    """A word of names and summaries, and in how many entries it stood when the index was last rebuilt."""

    word = models.CharField(max_length=40, primary_key=True)
    count = models.IntegerField(default=1)

    def __str__(self) -> str:
        return self.word


class Build(models.Model):
    """The last time that the whole index was made: by which edition of the analyser.  There is one row."""

    ONLY = 1
    edition = models.IntegerField()
    finished = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"{self.edition}, {self.finished}"
