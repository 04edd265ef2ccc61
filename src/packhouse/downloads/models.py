"""Numbers of downloads."""

from typing import ClassVar

from django.db import models

from packhouse.projects.models import Project, Release


class Downloads(models.Model):
    """How often the files of a release were fetched on one day (UTC) by one installer with one version of Python.

    ``installer`` is the tool's name in lower case, ``other`` for unknown ones; ``python`` is ``3.12``, or empty.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    installer = models.CharField(max_length=20)
    python = models.CharField(max_length=8, blank=True)
    number = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["release", "day", "installer", "python"], name="downloads_counted_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["project", "day"], name="downloads_of_project"),
            models.Index(fields=["day"], name="downloads_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.number} of release {self.release_id} on {self.day}"
