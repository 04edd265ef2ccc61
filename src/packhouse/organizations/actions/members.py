"""Members: invited, let in, given other roles, removed."""

from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from packhouse.accounts import links
from packhouse.accounts.actions import subject as user_subject
from packhouse.accounts.models import User
from packhouse.accounts.queries import has_verified_primary_email
from packhouse.audit.actions import Actor, record
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.organizations import emails
from packhouse.organizations.facts import MemberChanged
from packhouse.organizations.models import Invitation, Kind, Member, MemberRole, Organization, TeamMember
from packhouse.organizations.naming import subject

INVITED_FOR: Final = timedelta(days=7)


class LastOwner(Exception):
    """An organization keeps at least one owner."""


def invite_member(*, by: Actor, organization: Organization, user: User, role: MemberRole) -> str:
    """Ask *user* to join; returns the link, which the letter holds as well.  Raises ``ValidationError``."""
    with transaction.atomic():
        organization = _locked(organization)
        _must_be_open_to(organization, user, role)
        secret = links.new_secret()
        Invitation.objects.filter(organization=organization, user=user).delete()  # it has expired
        Invitation.objects.create(
            organization=organization,
            user=user,
            role=role,
            digest=links.digest(secret),
            invited_by=by if isinstance(by, User) else None,
            expires=clock.now() + INVITED_FOR,
        )
        return _post(organization, user, role, secret, by=by)


def resend_invitation(*, by: Actor, organization: Organization, number: int) -> bool:
    """Post an invitation once more, with a new link; the former link is void.  False where there is none (any more)."""
    with transaction.atomic():
        found = organization.invitations.select_for_update().filter(pk=number).select_related("user").first()
        if found is None or not organization.is_active:
            return False
        secret = links.new_secret()
        found.digest, found.expires = links.digest(secret), clock.now() + INVITED_FOR
        found.save(update_fields=["digest", "expires"])
        _post(organization, found.user, MemberRole(found.role), secret, by=by)
    return True


def revoke_invitation(*, by: Actor, organization: Organization, number: int) -> bool:
    """Take an invitation back.  False where it was answered or there is none."""
    with transaction.atomic():
        found = organization.invitations.filter(pk=number).select_related("user").first()
        if found is None or not Invitation.objects.filter(pk=number).delete()[0]:
            return False
        event = _record("organization_role:revoke_invite", organization, found.user, found.role, by=by)
        if found.expires > clock.now():
            emails.invitation_ended(organization, found.user, declined=False, said="", by=by, cause=event.pk)
    return True


def find_invitation(secret: str, user: User) -> Invitation | None:
    """The invitation of that link, where it is *user*'s and can still be answered."""
    found: Any = Invitation.objects.waiting().filter(digest=links.digest(secret), user=user)
    invitation: Invitation | None = found.select_related("organization", "user").first()
    return invitation


def accept_invitation(*, by: User, number: int) -> Organization | None:
    """Join; None where the invitation cannot be answered (any more)."""
    with transaction.atomic():
        invitation = _taken(by, number)
        if invitation is None:
            return None
        organization = _locked(invitation.organization)
        write_member(organization, by, MemberRole(invitation.role), by=by, tells=True)
        return organization


def decline_invitation(*, by: User, number: int, message: str = "") -> Organization | None:
    """Do not join, and say why; None where the invitation cannot be answered (any more)."""
    with transaction.atomic():
        invitation = _taken(by, number)
        if invitation is None:
            return None
        organization = invitation.organization
        event = _record("organization_role:decline_invite", organization, by, invitation.role, by=by)
        emails.invitation_ended(organization, by, declined=True, said=message, by=by, cause=event.pk)
        return organization


def add_member(*, by: Actor, organization: Organization, user: User, role: MemberRole) -> Member:
    """Make *user* a member without an invitation, or give another role: for the operator.  Raises ``LastOwner``."""
    with transaction.atomic():
        return write_member(_locked(organization), user, role, by=by, tells=True)


def change_role(*, by: Actor, organization: Organization, user_id: int, role: MemberRole) -> Member:
    """Give a member another role.  Raises ``Member.DoesNotExist``, ``LastOwner`` and ``ValidationError``."""
    with transaction.atomic():
        organization = _locked(organization)
        member = organization.members.select_related("user").get(user=user_id)
        _must_fit(organization, role)
        return write_member(organization, member.user, role, by=by, tells=True)


def remove_member(*, by: Actor, organization: Organization, user_id: int, even_the_last: bool = False) -> None:
    """Take somebody out of the organization and its teams.

    Raises ``Member.DoesNotExist``, and ``LastOwner`` unless told not to.
    """
    with transaction.atomic():
        organization = _locked(organization)
        member = organization.members.select_related("user").get(user=user_id)
        if not even_the_last:
            _keep_an_owner(organization, member)
        TeamMember.objects.filter(team__organization=organization, user=user_id).delete()
        member.delete()
        event = _record("organization_role:remove", organization, member.user, member.role, by=by)
        emails.member_removed(organization, member.user, role=member.role, by=by, cause=event.pk)
        announce(MemberChanged(organization.pk, organization.normalized_name, user_id, member.role, ""))


def write_member(organization: Organization, user: User, role: MemberRole, *, by: Actor, tells: bool = False) -> Member:
    """Give *user* the *role*; *tells*: letters are written about it."""
    member = organization.members.filter(user=user).first() or Member(organization=organization, user=user)
    before = member.role
    if before == role:
        return member
    if before:
        _keep_an_owner(organization, member)
    member.role = role
    member.save()
    if role == MemberRole.BILLING:
        TeamMember.objects.filter(team__organization=organization, user=user).delete()
    event = _record(f"organization_role:{'change' if before else 'add'}", organization, user, role, by=by)
    if tells and before:
        emails.member_changed(organization, user, before=before, after=role, by=by, cause=event.pk)
    elif tells:
        emails.member_added(organization, user, role=role, by=by, cause=event.pk)
    announce(MemberChanged(organization.pk, organization.normalized_name, user.pk, before, str(role)))
    return member


def _must_be_open_to(organization: Organization, user: User, role: MemberRole) -> None:
    _must_fit(organization, role)
    if not (user.is_active and has_verified_primary_email(user)):
        raise ValidationError({"username": _("%s has no verified primary address.") % user.username})
    if organization.members.filter(user=user).exists():
        raise ValidationError({"username": _("%s is a member already.") % user.username})
    if Invitation.objects.waiting().filter(organization=organization, user=user).exists():
        raise ValidationError({"username": _("%s is invited already.") % user.username})


def _must_fit(organization: Organization, role: MemberRole) -> None:
    if role == MemberRole.BILLING and organization.kind != Kind.COMPANY:
        raise ValidationError({"role": _("Only companies have billing managers.")})


def _keep_an_owner(organization: Organization, leaving: Member) -> None:
    others = organization.members.filter(role=MemberRole.OWNER, user__is_active=True).exclude(pk=leaving.pk)
    if leaving.role == MemberRole.OWNER and not others.exists():
        raise LastOwner


def _taken(user: User, number: int) -> Invitation | None:
    """The invitation, which nobody can answer any more."""
    waiting: Any = Invitation.objects.waiting().filter(pk=number, user=user)
    found: Invitation | None = waiting.select_related("organization").first()
    return found if found is not None and waiting.delete()[0] else None


def _locked(organization: Organization) -> Organization:
    return Organization.objects.select_for_update().get(pk=organization.pk)


def _post(organization: Organization, user: User, role: MemberRole, secret: str, *, by: Actor) -> str:
    link = links.address("organization-invitation", secret)
    event = _record("organization_role:invite", organization, user, role, by=by)
    emails.invited(organization, user, role=role, url=link, days=INVITED_FOR.days, by=by, cause=event.pk)
    return link


def _record(tag: str, organization: Organization, user: User, role: str, *, by: Actor) -> Event:
    """On the organization, which is returned, and in the security history of whose role it is."""
    told = {"organization_name": organization.name, "role_name": str(role)}
    record(tag, subject=user_subject(user), by=by, additional=told)
    more = {"target_user": user.username, "role_name": str(role)}
    return record(tag, subject=subject(organization), by=by, additional=more)
