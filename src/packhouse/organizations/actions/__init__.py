"""Changes of organizations: each is one transaction, with its events, letters and facts."""

from packhouse.organizations.actions.applications import apply, approve, decline
from packhouse.organizations.actions.keeping import (
    OwnsProjects,
    create_organization,
    delete_organization,
    set_active,
    update_organization,
)
from packhouse.organizations.actions.members import (
    LastOwner,
    accept_invitation,
    add_member,
    change_role,
    decline_invitation,
    find_invitation,
    invite_member,
    remove_member,
    resend_invitation,
    revoke_invitation,
)
from packhouse.organizations.actions.teams import (
    add_to_team,
    create_team,
    delete_team,
    remove_from_team,
    rename_team,
    team_subject,
)
from packhouse.organizations.naming import subject

__all__ = [
    "LastOwner",
    "OwnsProjects",
    "accept_invitation",
    "add_member",
    "add_to_team",
    "apply",
    "approve",
    "change_role",
    "create_organization",
    "create_team",
    "decline",
    "decline_invitation",
    "delete_organization",
    "delete_team",
    "find_invitation",
    "invite_member",
    "remove_from_team",
    "remove_member",
    "rename_team",
    "resend_invitation",
    "revoke_invitation",
    "set_active",
    "subject",
    "team_subject",
    "update_organization",
]
