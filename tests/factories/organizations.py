"""Organizations and their members."""

from typing import Any

from packhouse.accounts.models import User
from packhouse.organizations.models import Member, MemberRole, Organization, OrganizationName, Team, TeamMember
from packhouse.organizations.naming import normalize_team
from packhouse.specs.names import normalize


def make_organization(name: str = "Acme", *, owner: User | None = None, **fields: Any) -> Organization:
    about = {"display_name": f"{name} Works", **fields}
    made = Organization.objects.create(name=name, normalized_name=normalize(name), **about)
    OrganizationName.objects.create(normalized_name=made.normalized_name, organization=made)
    if owner is not None:
        join(made, owner, MemberRole.OWNER)
    return made


def join(organization: Organization, user: User, role: MemberRole = MemberRole.MEMBER) -> Member:
    return Member.objects.create(organization=organization, user=user, role=role)


def make_team(organization: Organization, name: str = "Builders", *members: User) -> Team:
    made = Team.objects.create(organization=organization, name=name, normalized_name=normalize_team(name))
    TeamMember.objects.bulk_create(TeamMember(team=made, user=user) for user in members)
    return made
