"""Fill a home's database with a catalogue, through the house's own bulk path."""

import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

PROCESSES = 2
"""Beside the one that writes."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded, in how many seconds, and how large the database is, in bytes."""

    projects: int
    files: int
    seconds: float
    size: int


def connect(home: Path) -> None:
    """Set Django up on *home* (its database, or the one that ``PACKHOUSE_DATABASE`` names), with its tables."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ["PACKHOUSE_HOME"] = str(home)
    os.environ["DJANGO_SETTINGS_MODULE"] = "packhouse.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def public_host() -> str:
    """The host that requests name."""
    from urllib.parse import urlsplit

    from django.conf import settings

    return urlsplit(settings.PACKHOUSE.public_url).netloc


def load(entries: Iterable[object]) -> Loaded:
    """Write *entries* (``NewProject``) and their documents."""
    from packhouse.index import loading
    from packhouse.projects.models import File

    began = time.monotonic()
    count = loading.load(entries, processes=PROCESSES)
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


def _own(username: str, project_name: str) -> None:
    """Make the user an owner of the project."""
    from packhouse.accounts.models import User
    from packhouse.projects import actions
    from packhouse.projects.models import Project, Role

    project, user = Project.objects.get(normalized_name=project_name), User.objects.get(username=username)
    actions.set_role(by=None, project=project, user_id=user.pk, name=Role.Name.OWNER)


def _touch(project: str) -> None:
    """Tell all readers that the project's documents have changed, though they have not."""
    from django.db import transaction

    from packhouse.documents import actions

    with transaction.atomic():
        actions.serial_lock()
        actions.mark_changed(f"simple/{project}")


def _session(username: str) -> str:
    """Sign the user in; returns the cookie."""
    from django.conf import settings
    from django.test import Client

    from packhouse.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username=username))
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def main() -> None:
    """``HOME PROJECTS FILES [CATALOGUE]`` loads and prints what; ``--own HOME USER PROJECT`` gives a role;
    ``--session HOME USER`` prints a session's cookie; ``--touch HOME PROJECT`` has all readers read a project anew.
    """
    if sys.argv[1] == "--own":
        connect(Path(sys.argv[2]))
        _own(*sys.argv[3:5])
        return
    if sys.argv[1] == "--touch":
        connect(Path(sys.argv[2]))
        _touch(sys.argv[3])
        return
    if sys.argv[1] == "--session":
        connect(Path(sys.argv[2]))
        print(_session(sys.argv[3]))
        return
    home, projects, files, catalogue = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:5]
    connect(home)
    from bench.catalogue import big_project, entries

    given = Path(catalogue[0]) if catalogue and catalogue[0] else None
    loaded = load(chain([big_project("bench-many-files", files)], entries(projects, given)))
    print(json.dumps(dataclasses.asdict(loaded)))


if __name__ == "__main__":
    main()
