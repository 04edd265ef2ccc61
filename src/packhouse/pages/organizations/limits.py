"""How often somebody may start organizations, invite others, and start projects without a file."""

from typing import Final

from django.conf import settings

from packhouse.accounts.limits import Pair
from packhouse.accounts.models import User
from packhouse.base.identity import current_request
from packhouse.throttle.limit import Limit

STARTED: Final = Limit("organization.create.user", "10 per day", "user")
"""Names are taken for ever."""
INVITED: Final = Limit("organization.invite.user", "100 per day", "user")
"""Each is a letter to somebody who has not asked for it."""


def organization(user: User) -> list[Pair]:
    return [(STARTED, (user.pk,))]


def invitation(user: User) -> list[Pair]:
    return [(INVITED, (user.pk,))]


def project(user: User) -> list[Pair]:
    """Those of uploads: whichever way a project is started, it counts."""
    limits = [
        ("ip", settings.PACKHOUSE.new_projects_per_address, current_request.get().address),
        ("user", settings.PACKHOUSE.new_projects_per_user, user.pk),
    ]
    return [
        (Limit(f"project.create.{scope}", f"{most} per hour", scope), (key,)) for scope, most, key in limits if most
    ]
