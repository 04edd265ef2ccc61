"""One change of an index, as a process of its own that can be killed at any step: ``python -m tests.faults.operate``.

usage: operate OPERATION PROJECT SUBJECT (a version; for ``role`` a user's name, for ``mint`` any word).
Run again after a kill it finishes what is left.
"""

import sys

import django


def main() -> None:
    """Make the change unless it is made already."""
    operation, project_name, subject = sys.argv[1:]
    django.setup()
    from django.db import connection

    from packhouse.accounts.models import User
    from packhouse.projects import actions, queries
    from packhouse.projects.models import Role
    from packhouse.tokens.actions import create_token

    with connection.cursor() as cursor:  # what counts begins here
        cursor.execute("SELECT 1")
    project = queries.find_project(project_name)
    assert project is not None
    release = None if operation in {"role", "mint"} else queries.find_release(project, subject)
    if operation == "yank" and release and not release.yanked:
        actions.yank_release(by=None, release=release, reason="broken")
    elif operation == "delete" and release:
        actions.delete_release(by=None, release=release)
    elif operation == "quarantine" and release and not release.quarantined:
        actions.set_release_quarantine(by=None, release=release, quarantined=True)
    elif operation == "role":
        other = User.objects.get(username=subject)
        actions.set_role(by=None, project=project, user_id=other.pk, name=Role.Name.MAINTAINER)
    elif operation == "mint":
        create_token(user=User.objects.get(username="ada"), description=f"minted for {subject}")


if __name__ == "__main__":
    main()
