"""A maintainer who hardly rests: ``python -m tests.faults.changing SEED PREFIX PAUSE``, until its input ends.

Changes roles, tokens and yanks of the projects whose names begin with PREFIX, and deletes releases that are there for
it, at random, PAUSE seconds apart; prints one line for each change that was committed.  When the database goes away it
waits and goes on, as people do.
"""

import os
import random
import sys
import threading
from typing import TYPE_CHECKING

import django
from tests.faults.publishing import DOOMED

if TYPE_CHECKING:
    from packhouse.projects.models import Project


def main() -> None:
    """Change things until nobody listens any more."""
    seed, prefix, pause = sys.argv[1:]
    django.setup()
    from django.core.exceptions import ObjectDoesNotExist
    from django.db import DatabaseError, InterfaceError, close_old_connections, connection

    from packhouse.projects.actions import LastOwner

    threading.Thread(target=_end_with_input, daemon=True).start()
    chance = random.Random(seed)
    while True:
        close_old_connections()
        try:
            change = chance.choice([role, role, role, mint, yank, delete])
            if change(chance, prefix):
                sys.stdout.write(f"{change.__name__}\n")
                sys.stdout.flush()
                wait(float(pause))
            elif change is not delete:
                wait(0.1)
        except (ObjectDoesNotExist, LastOwner):  # somebody else was faster
            continue
        except (DatabaseError, InterfaceError):
            connection.close()
            wait(0.2)


def wait(seconds: float) -> None:
    """``time.sleep`` waits until an absolute time, which a false clock may put off by days."""
    threading.Event().wait(seconds)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


def _project(chance: random.Random, prefix: str) -> "Project | None":
    from packhouse.projects.models import Project

    ids = list(Project.objects.filter(normalized_name__startswith=prefix).values_list("pk", flat=True))
    return Project.objects.filter(pk=chance.choice(ids)).first() if ids else None


def role(chance: random.Random, prefix: str) -> bool:
    """Give, change or take the role of somebody other than its owner."""
    from packhouse.accounts.models import User
    from packhouse.projects import actions
    from packhouse.projects.models import Role

    project = _project(chance, prefix)
    others = list(User.objects.exclude(username="ada").values_list("pk", flat=True))
    if project is None or not others:
        return False
    user = chance.choice(others)
    held = project.roles.filter(user_id=user).first()
    if held and chance.random() < 0.4:
        actions.remove_role(by=None, project=project, user_id=user)
    else:
        wanted = Role.Name.MAINTAINER if held and held.name == Role.Name.OWNER else Role.Name.OWNER
        actions.set_role(by=None, project=project, user_id=user, name=wanted)
    return True


def mint(chance: random.Random, prefix: str) -> bool:
    """Make a token, or delete one."""
    from packhouse.accounts.models import User
    from packhouse.tokens.actions import create_token, delete_token

    user = User.objects.exclude(username="ada").order_by("?").first()
    if user is None:
        return False
    token = user.tokens.filter(description__startswith=prefix).first()
    if token and chance.random() < 0.5:
        delete_token(owner=user, token_id=token.pk)
    else:
        create_token(user=user, description=f"{prefix} {chance.random()}")
    return True


def yank(chance: random.Random, prefix: str) -> bool:
    """Yank a release or take that back."""
    from packhouse.projects import actions
    from packhouse.projects.models import Release

    ids = list(Release.objects.filter(project__normalized_name__startswith=prefix).values_list("pk", flat=True)[:500])
    release = Release.objects.filter(pk=chance.choice(ids)).first() if ids else None
    if release is None:
        return False
    if release.yanked:
        actions.unyank_release(by=None, release=release)
    else:
        actions.yank_release(by=None, release=release, reason="tried")
    return True


def delete(chance: random.Random, prefix: str) -> bool:
    """Delete a release that is there to be deleted."""
    from packhouse.projects import actions
    from packhouse.projects.models import Release

    doomed = {"project__normalized_name__startswith": prefix, "version__regex": rf"^\d{{{len(str(DOOMED))}}}\."}
    release = Release.objects.filter(**doomed).order_by("pk").first()
    if release is None:
        return False
    actions.delete_release(by=None, release=release)
    return True


if __name__ == "__main__":
    main()
