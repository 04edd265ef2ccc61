"""What feeds have said."""

from typing import ClassVar

from django.db import models

from packhouse.base import clock
from packhouse.projects.models import Project


class Feed(models.Model):
    """A list of vulnerabilities that this index has been given, and when it was last given something of it."""

    source = models.CharField(max_length=64, primary_key=True)
    updated = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.source


class Vulnerability(models.Model):
    """What the feed *source* says under *identifier* of one project; of others it may say something else.

    ``versions`` are affected by name, in their canonical spelling, ``ranges`` by order: lists of events, as in
    ``ranges.Range``.  Which releases that is stands in ``Release.vulnerabilities``.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    source = models.CharField(max_length=64)
    identifier = models.CharField(max_length=200)
    link = models.TextField(blank=True)
    aliases = models.JSONField(default=list, blank=True)
    summary = models.TextField(blank=True)
    details = models.TextField(blank=True)
    fixed_in = models.JSONField(default=list, blank=True)
    withdrawn = models.DateTimeField(null=True, blank=True)
    versions = models.JSONField(default=list, blank=True)
    ranges = models.JSONField(default=list, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "source", "identifier"], name="vulnerability_unique_report"),
        ]
        indexes: ClassVar = [models.Index(fields=["identifier"], name="vulnerability_by_identifier")]

    def __str__(self) -> str:
        return self.identifier
