"""Fill a home's database with a catalogue, through the house's own bulk path."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, in how many seconds, and how large the database is, in bytes."""

    projects: int
    files: int
    seconds: float
    size: int


def connect(home: Path, database: str | None) -> None:
    """Set Django up on *home*, with its tables."""
    os.environ["PACKHOUSE_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    if database:
        os.environ["PACKHOUSE_DATABASE"] = database
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def load(entries: Iterable[object]) -> Loaded:
    """Write *entries* (``NewProject``) and their documents."""
    from packhouse.index import bulk
    from packhouse.projects.models import File

    began = time.monotonic()
    count = bulk.load(entries)
    return Loaded(count, File.objects.count(), time.monotonic() - began, database_size())


def database_size() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
            return cursor.fetchone()[0]
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path = Path(connection.settings_dict["NAME"])
        return path.stat().st_size
