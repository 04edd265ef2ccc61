"""Who may do what in an organization.  Pure functions over plain facts."""

from typing import Final

from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.base.identity import Identity
from packhouse.organizations.models import MemberRole

OWNER, MANAGER, BILLING, MEMBER = MemberRole.OWNER, MemberRole.MANAGER, MemberRole.BILLING, MemberRole.MEMBER

PERMISSIONS: Final[dict[str, frozenset[MemberRole]]] = {
    "read": frozenset(MemberRole),
    "leave": frozenset({OWNER, MANAGER, MEMBER}),
    "teams": frozenset({OWNER, MANAGER}),
    "add-projects": frozenset({OWNER, MANAGER}),
    "remove-projects": frozenset({OWNER}),
    "manage": frozenset({OWNER}),
    "billing": frozenset({OWNER, BILLING}),
}
"""What whom may do: *read* its management pages; *leave* it by oneself; make and change *teams*; *add projects* and
*remove* them; *manage* settings, people and the organization itself; pay its bills."""


def may(permission: str, identity: Identity, *, role: str | None, organization: str) -> Decision:
    """Whether the identity's user, who has *role* in the organization (None: is no member), has that permission."""
    if identity.kind != "user" or role not in PERMISSIONS["read"]:
        return denied("not-a-member", f"The user {identity.username!r} is no member of {organization!r}.")
    if role not in PERMISSIONS[permission]:
        return denied("role-too-small", f"A {role} of {organization!r} may not do this.")
    return ALLOWED


def may_start(setting: str, *, is_staff: bool) -> Decision:
    """Whether somebody with a verified address may start an organization at once; *setting* is ``organizations``."""
    if setting == "users" or (is_staff and setting != "off"):
        return ALLOWED
    return denied("not-at-once", "Organizations are not started by users here.")


def may_apply(setting: str) -> Decision:
    """Whether users may ask the administrators for an organization."""
    return ALLOWED if setting == "request" else denied("no-requests", "Nobody is asked for organizations here.")
