"""Organizations, their names, members, invitations, applications and teams."""

import uuid
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from packhouse.base import clock


class Kind(models.TextChoices):
    """What an organization is."""

    COMMUNITY = "community", _("Community")
    COMPANY = "company", _("Company")


class MemberRole(models.TextChoices):
    """What somebody is to an organization; the greatest first."""

    OWNER = "Owner", pgettext_lazy("role", "Owner")
    MANAGER = "Manager", pgettext_lazy("role", "Manager")
    BILLING = "Billing manager", pgettext_lazy("role", "Billing manager")
    MEMBER = "Member", pgettext_lazy("role", "Member")


class Organization(models.Model):
    """A group of people who own projects together.

    ``name`` is what stands in addresses and in the JSON API, ``normalized_name`` the spelling of look-ups (PEP 503).
    One that is not *active* is shown to nobody, and its projects take no uploads.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=50)
    normalized_name = models.CharField(max_length=50, unique=True)
    display_name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.COMMUNITY)
    link_url = models.CharField(max_length=400, blank=True)
    description = models.CharField(max_length=400, blank=True)
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["normalized_name"]

    def __str__(self) -> str:
        return self.name


class OrganizationName(models.Model):
    """Every name that an organization ever had.  Rows are never deleted: no name ever means somebody else."""

    normalized_name = models.CharField(max_length=50, primary_key=True)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.SET_NULL, related_name="names")
    created = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return self.normalized_name


class Member(models.Model):
    """Somebody's role in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=MemberRole)
    since = models.DateTimeField(default=clock.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "organization"], name="member_unique_user")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.organization}"


class MemberInvitationQuerySet(models.QuerySet["Invitation", "Invitation"]):
    def waiting(self) -> Any:
        """Those that can still be answered."""
        return self.filter(expires__gt=clock.now(), organization__is_active=True)


class Invitation(models.Model):
    """Somebody was asked to join an organization.  Of the letter's link only the digest is kept."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=16, choices=MemberRole)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(default=clock.now)
    expires = models.DateTimeField()

    objects = MemberInvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organization"], name="invitation_unique_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user} to {self.organization}"


class Application(models.Model):
    """Somebody asks the administrators for an organization, and says what for."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        APPROVED = "approved", _("Approved")
        DECLINED = "declined", _("Declined")

    name = models.CharField(max_length=50)
    normalized_name = models.CharField(max_length=50, db_index=True)
    display_name = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.COMMUNITY)
    link_url = models.CharField(max_length=400, blank=True)
    description = models.CharField(max_length=400, blank=True)
    usage = models.TextField()
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    submitted = models.DateTimeField(default=clock.now)
    state = models.CharField(max_length=12, choices=State, default=State.WAITING)
    decided = models.DateTimeField(null=True)
    message = models.TextField(blank=True)
    organization = models.ForeignKey(Organization, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["submitted_by", "normalized_name"],
                condition=models.Q(state="waiting"),
                name="application_waits_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} by {self.submitted_by}"


class Team(models.Model):
    """Some members of an organization, who get roles on its projects together."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="teams")
    name = models.CharField(max_length=50)
    normalized_name = models.CharField(max_length=50)
    created = models.DateTimeField(default=clock.now)

    class Meta:
        ordering: ClassVar = ["normalized_name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "normalized_name"], name="team_unique_name"),
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """Somebody is in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "team"], name="team_member_unique_user")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"
