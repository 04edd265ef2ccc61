"""Rows against rows: what must hold between tables, whatever happened.  Mends nothing: none of it can happen by itself.

Each question is one statement, so that it sees one moment and needs no lock.
"""

from collections.abc import Iterator

from django.db import connection
from django.db.models import BigIntegerField, Exists, F, Max, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from packhouse.index.findings import Finding, Report
from packhouse.projects.models import File, Filename, JournalEntry, Project


def check_rows(report: Report) -> None:
    """Look at serials, sizes and kept names, and let the database look at itself where it can."""
    for finding in (*_serials(), *_sizes(), *_names(), *_own_faults()):
        report.add(finding)


def _serials() -> Iterator[Finding]:
    """A project's serial is its newest journal entry; entries bear the name that the project had when it got them."""
    entries = JournalEntry.objects.filter(name=OuterRef("name")).order_by()
    newest = Subquery(entries.values("name").annotate(newest=Max("pk")).values("newest"))
    projects = Project.objects.annotate(newest=Coalesce(newest, 0, output_field=BigIntegerField()))
    for name, serial, found in projects.exclude(newest=F("last_serial")).values_list("name", "last_serial", "newest"):
        yield Finding("serial-differs", name, f"{serial}, and the newest entry is {found}")


def _sizes() -> Iterator[Finding]:
    files = File.objects.filter(project=OuterRef("pk")).order_by()
    total = Subquery(files.values("project").annotate(total=Sum("size")).values("total"))
    projects = Project.objects.annotate(total=Coalesce(total, 0, output_field=BigIntegerField()))
    for name, size, found in projects.exclude(total=F("total_size")).values_list("name", "total_size", "total"):
        yield Finding("size-differs", name, f"{size} bytes, and its files have {found}")


def _names() -> Iterator[Finding]:
    kept = Filename.objects.filter(filename=OuterRef("filename"))
    for filename in File.objects.filter(~Exists(kept)).values_list("filename", flat=True):
        yield Finding("name-not-kept", filename)


def _own_faults() -> Iterator[Finding]:
    """SQLite reads all its pages and follows all references; PostgreSQL has no such question without an extension."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check(10)")
        for (text,) in cursor.fetchall():
            if text != "ok":
                yield Finding("database-damaged", text)
        cursor.execute("PRAGMA foreign_key_check")
        for table, row, parent, _ in cursor.fetchmany(10):
            yield Finding("database-damaged", f"{table} {row}", f"refers to nothing in {parent}")
