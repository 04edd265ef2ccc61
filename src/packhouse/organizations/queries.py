"""Questions about organizations."""

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from packhouse.base.statements import Question
from packhouse.organizations.models import (
    Application,
    Invitation,
    Member,
    MemberRole,
    Organization,
    OrganizationName,
    Team,
    TeamMember,
)
from packhouse.specs.names import normalize

ORDER = {role: at for at, role in enumerate(MemberRole)}


def find_organization(name: str) -> Organization | None:
    """The organization of that name, in any spelling, active or not."""
    return Organization.objects.filter(normalized_name=normalize(name)).first()


def is_name_taken(name: str) -> bool:
    """Whether an organization has or ever had that name, in any spelling."""
    return OrganizationName.objects.filter(normalized_name=normalize(name)).exists()


def role_in(user_id: int | None, organization: Organization) -> str | None:
    """What the user is to the organization: one of ``MemberRole``, or None."""
    if user_id is None:
        return None
    return Member.objects.filter(user=user_id, organization=organization).values_list("role", flat=True).first()


def is_active(organization_id: int) -> bool:
    """Whether the organization is in good standing: its projects take uploads."""
    return _ACTIVE.exists(organization_id)


_ACTIVE = Question(lambda key: Organization.objects.filter(pk=key, is_active=True).values_list("pk"), int)


def names_of(organization_ids: Iterable[int]) -> dict[int, str]:
    """The names of organizations by their numbers."""
    chosen = set(organization_ids)
    if not chosen:
        return {}
    return dict(Organization.objects.filter(pk__in=chosen).values_list("pk", "name"))


def members_of(organization: Organization) -> list[Member]:
    """Everybody whose account is not deleted, owners first, then by name."""
    found = organization.members.filter(user__is_active=True).select_related("user")
    return sorted(found, key=lambda member: (ORDER[MemberRole(member.role)], member.user.username.lower()))


def memberships_of(user_id: int) -> QuerySet[Member]:
    """Where the user is a member, by the organization's name; also of organizations that are not active."""
    return Member.objects.filter(user=user_id).select_related("organization").order_by("organization__normalized_name")


def organizations_of(user_id: int, *, roles: Iterable[str] = tuple(MemberRole)) -> QuerySet[Organization]:
    """The active organizations in which the user has one of *roles*, by name."""
    held = Member.objects.filter(user=user_id, role__in=list(roles)).values("organization")
    return Organization.objects.filter(pk__in=held, is_active=True)


def owned_by(user_id: int) -> QuerySet[Organization]:
    """The organizations of which the user is an owner, in the order in which they are locked."""
    held = Member.objects.filter(user=user_id, role=MemberRole.OWNER).values("organization")
    return Organization.objects.filter(pk__in=held).order_by("pk")


def owned_alone_by(user_id: int) -> QuerySet[Organization]:
    """Organizations that nobody but the user owns, by name."""
    owners = Member.objects.filter(organization=OuterRef("pk"), role=MemberRole.OWNER)
    others = owners.exclude(user=user_id).filter(user__is_active=True)
    return Organization.objects.filter(Exists(owners.filter(user=user_id)), ~Exists(others))


def invitations_to(user_id: int) -> QuerySet[Invitation]:
    """The invitations that the user can answer."""
    found: QuerySet[Invitation] = Invitation.objects.waiting().filter(user=user_id)
    return found.select_related("organization", "invited_by").order_by("created")


def invitations_of(organization: Organization) -> QuerySet[Invitation]:
    """Who was asked to join, the newest first; also those that have expired."""
    return organization.invitations.select_related("user", "invited_by").order_by("-created")


def applications_by(user_id: int) -> QuerySet[Application]:
    """What the user has asked for, the newest first."""
    return Application.objects.filter(submitted_by=user_id).order_by("-submitted")


def applications(*, waiting: bool = False) -> QuerySet[Application]:
    """All applications, the oldest first."""
    chosen = Q(state=Application.State.WAITING) if waiting else Q()
    return Application.objects.filter(chosen).select_related("submitted_by").order_by("submitted")


def teams_of(organization: Organization) -> QuerySet[Team]:
    """Its teams by name, each with its ``size``."""
    return organization.teams.annotate(size=Count("members")).order_by("normalized_name")


def is_in_team(user_id: int, team: Team) -> bool:
    """Whether the user is in the team."""
    return TeamMember.objects.filter(team=team, user=user_id).exists()
