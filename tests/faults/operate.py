"""Changes of an index, each in a process of its own that can be killed at any step: ``python -m tests.faults.operate``.

Reads a line ``OPERATION PROJECT SUBJECT`` (a version; for ``role`` and ``mint`` a number, for ``work`` and
``write-back`` nothing that matters), answers with the number of a process that is about to make that change, and, on
the line ``go``, has it made and answers with its exit status.  The process is forked, so that an attempt costs no start
of Django.  Made again after a kill, the change finishes what is left.
"""

import os
import sys
import time

import django


def main() -> None:
    """Serve until the input ends."""
    django.setup()
    from django.urls import get_resolver

    _ = get_resolver().url_patterns  # imports everything
    for line in sys.stdin:
        reader, writer = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(writer)
            _live(reader, *line.split())
        os.close(reader)
        _say(pid)
        sys.stdin.readline()  # go
        os.close(writer)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _live(reader: int, operation: str, project: str, subject: str) -> None:
    status = 1
    try:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        os.read(reader, 1)  # what counts begins here
        {"work": _work, "write-back": _write_back}.get(operation, _change)(operation, project, subject)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def _change(operation: str, project_name: str, subject: str) -> None:
    """Make the change unless it is made already."""
    from packhouse.accounts.models import User
    from packhouse.projects import actions, queries
    from packhouse.projects.models import Role
    from packhouse.tokens.actions import create_token

    project = queries.find_project(project_name)
    assert project is not None
    release = None if operation in {"role", "mint"} else queries.find_release(project, subject)
    if operation == "yank" and release and not release.yanked:
        actions.yank_release(by=None, release=release, reason="broken")
    elif operation == "turn" and release:  # something to do for tasks, each time
        change = actions.unyank_release if release.yanked else actions.yank_release
        change(by=None, release=release)
        _wait_until_due()
    elif operation == "delete" and release:
        actions.delete_release(by=None, release=release)
    elif operation == "quarantine" and release and not release.quarantined:
        actions.set_release_quarantine(by=None, release=release, quarantined=True)
    elif operation == "role":
        other = User.objects.get(username="grace")
        wanted = list(Role.Name)[int(subject) % 2]
        actions.set_role(by=None, project=project, user_id=other.pk, name=wanted)
    elif operation == "mint":
        owner = User.objects.get(username="ada")
        if not owner.tokens.filter(description=f"minted for {subject}").exists():
            create_token(user=owner, description=f"minted for {subject}")


def _wait_until_due() -> None:
    """Search is brought up to date once a second."""
    from packhouse.queue import QUEUES, leases

    ends = time.monotonic() + 60
    while not leases.due_queues(QUEUES):
        assert time.monotonic() < ends
        time.sleep(0.05)


def _work(*_: str) -> None:
    """Run all tasks that are due, as the lane does that takes the place of one that died."""
    from datetime import timedelta

    from packhouse.queue import QUEUES, backend, leases
    from packhouse.queue.models import QueuedTask

    for dead in set(QueuedTask.objects.running().values_list("lease_by", flat=True)):
        leases.recover_from(dead)
    while due := leases.due_queues(QUEUES):
        for queue in sorted(due):
            for row in leases.claim(queue, name=f"steps-{os.getpid()}", lease=timedelta(minutes=1)):
                backend.call(row)
                assert leases.settle(row, None)


def _write_back(*_: str) -> None:
    """Bring all that SQLite's log holds into the database, and empty the log."""
    from django.db import connection

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            (busy, _pages, _written) = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            (found,) = cursor.execute("PRAGMA quick_check").fetchone()
        assert (busy, found) == (0, "ok"), (busy, found)


if __name__ == "__main__":
    main()
