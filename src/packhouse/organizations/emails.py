"""The letters about organizations.

One function for each event, to be called in its transaction; *cause* is the id of its audit event.
"""

from collections.abc import Callable, Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from packhouse.accounts.emails import REQUESTED, SECURITY, about_your_account, write
from packhouse.accounts.models import User
from packhouse.audit.actions import Actor
from packhouse.base.identity import Identity
from packhouse.mail.draft import Button, Draft
from packhouse.mail.models import Letter
from packhouse.organizations.models import Application, MemberRole, Organization, Team

Words = Callable[[], str]
Facts = list[tuple[str, str]]


def owners(organization: Organization) -> list[User]:
    return _with_roles(organization, MemberRole.OWNER)


def managers(organization: Organization) -> list[User]:
    """Those who look after teams: owners too."""
    return _with_roles(organization, MemberRole.OWNER, MemberRole.MANAGER)


def _with_roles(organization: Organization, *roles: MemberRole) -> list[User]:
    held = User.objects.filter(memberships__organization=organization, memberships__role__in=roles)
    return list(held.order_by("pk"))


def invited(organization: Organization, user: User, *, role: str, url: str, days: int, by: Actor, cause: int) -> None:
    """``verify-organization-role`` to *user*, ``organization-member-invited`` to the owners."""

    def draft() -> Draft:
        works = ngettext("The link works for %(days)d day.", "The link works for %(days)d days.", days)
        return Draft(
            subject=_("You are invited to the organization %(name)s") % {"name": organization.display_name},
            says=[_("Its members own projects together. You choose whether you join.")],
            facts=[(_("Organization"), organization.name), (_("Role"), role_word(role)), *_by(by)],
            button=Button(_("Answer the invitation"), url),
            then=[works % {"days": days}],
            because=about_your_account(user),
        )

    write(user, "verify-organization-role", draft, cause=str(cause), kind=REQUESTED)
    _tell_others(
        "organization-member-invited",
        organization,
        user,
        lambda: _("Somebody was invited to %(name)s") % {"name": organization.display_name},
        lambda: [(_("Role"), role_word(role))],
        by=by,
        cause=cause,
    )


def invitation_ended(
    organization: Organization, user: User, *, declined: bool, said: str, by: Actor, cause: int
) -> None:
    """``…-invite-declined`` or ``…-invite-canceled`` to the owners, and the like to *user*."""
    words: tuple[str, str, Words, Words]
    if declined:
        words = (
            "declined-as-invited-organization-member",
            "organization-member-invite-declined",
            lambda: _("You declined to join %(name)s") % {"name": organization.display_name},
            lambda: _("An invitation to %(name)s was declined") % {"name": organization.display_name},
        )
    else:
        words = (
            "canceled-as-invited-organization-member",
            "organization-member-invite-canceled",
            lambda: _("The invitation to %(name)s was taken back") % {"name": organization.display_name},
            lambda: _("An invitation to %(name)s was taken back") % {"name": organization.display_name},
        )
    _pair(organization, user, words, lambda: [(_("Message"), said)] if said else [], by=by, cause=cause)


def member_added(organization: Organization, user: User, *, role: str, by: Actor, cause: int) -> None:
    """``added-as-organization-member`` to *user*, ``organization-member-added`` to the owners."""
    words = (
        "added-as-organization-member",
        "organization-member-added",
        lambda: _("You are now a member of %(name)s") % {"name": organization.display_name},
        lambda: _("%(name)s has a new member") % {"name": organization.display_name},
    )
    _pair(organization, user, words, lambda: [(_("Role"), role_word(role))], by=by, cause=cause)


def member_changed(organization: Organization, user: User, *, before: str, after: str, by: Actor, cause: int) -> None:
    """``role-changed-as-organization-member`` to *user*, ``organization-member-role-changed`` to the owners."""
    words = (
        "role-changed-as-organization-member",
        "organization-member-role-changed",
        lambda: _("Your role in %(name)s was changed") % {"name": organization.display_name},
        lambda: _("A role in %(name)s was changed") % {"name": organization.display_name},
    )

    def facts() -> Facts:
        return [(_("Old role"), role_word(before)), (_("New role"), role_word(after))]

    _pair(organization, user, words, facts, by=by, cause=cause)


def member_removed(organization: Organization, user: User, *, role: str, by: Actor, cause: int) -> None:
    """``removed-as-organization-member`` to *user*, ``organization-member-removed`` to the owners."""
    words = (
        "removed-as-organization-member",
        "organization-member-removed",
        lambda: _("You are no longer a member of %(name)s") % {"name": organization.display_name},
        lambda: _("%(name)s has lost a member") % {"name": organization.display_name},
    )
    _pair(organization, user, words, lambda: [(_("Former role"), role_word(role))], by=by, cause=cause)


def updated(organization: Organization, changes: Sequence[tuple[object, str]], *, by: Actor, cause: int) -> None:
    """``organization-updated`` to the owners; *changes* are lazy labels, and what was and is."""
    _tell(
        "organization-updated",
        organization,
        owners(organization),
        lambda: _("The organization %(name)s was changed") % {"name": organization.display_name},
        lambda: [(str(label), value) for label, value in changes],
        by=by,
        cause=cause,
    )


def deleted(organization: Organization, to: Iterable[User], *, by: Actor, cause: int) -> None:
    """``organization-deleted`` to those who were its owners."""
    _tell(
        "organization-deleted",
        organization,
        to,
        lambda: _("The organization %(name)s was deleted") % {"name": organization.display_name},
        by=by,
        cause=cause,
        is_there=False,
    )


def team_changed(team: Team, *, created: bool, by: Actor, cause: int) -> None:
    """``team-created`` or ``team-deleted`` to owners and managers."""

    def subject() -> str:
        words = _("%(name)s has a new team") if created else _("A team of %(name)s was deleted")
        return words % {"name": team.organization.display_name}

    name = "team-created" if created else "team-deleted"
    to = managers(team.organization)
    _tell(name, team.organization, to, subject, lambda: [(_("Team"), team.name)], by=by, cause=cause)


def team_member_changed(team: Team, user: User, *, added: bool, by: Actor, cause: int) -> None:
    """``added-as-team-member`` or ``removed-as-team-member`` to *user*, ``team-member-…`` to owners and managers."""

    def to_user() -> str:
        words = _("You are now in the team %(team)s") if added else _("You are no longer in the team %(team)s")
        return words % {"team": team.name}

    def to_others() -> str:
        words = _("The team %(team)s has a new member") if added else _("The team %(team)s has lost a member")
        return words % {"team": team.name}

    def facts() -> Facts:
        return [(_("Team"), team.name), (_("User"), user.username)]

    word = "added" if added else "removed"
    about, others = team.organization, [one for one in managers(team.organization) if one.pk != user.pk]
    _tell(f"{word}-as-team-member", about, [user], to_user, facts, by=by, cause=cause, kind=SECURITY)
    _tell(f"team-member-{word}", about, others, to_others, facts, by=by, cause=cause)


def application_received(application: Application, *, cause: int) -> None:
    """``new-organization-requested`` to the applicant."""
    _answer("new-organization-requested", application, lambda: _("The administrators have your request"), cause=cause)


def application_decided(application: Application, *, cause: int) -> None:
    """``new-organization-approved`` or ``new-organization-declined`` to the applicant, with what was said."""
    if application.state == Application.State.APPROVED:
        _answer("new-organization-approved", application, lambda: _("Your organization is there"), cause=cause)
    else:
        _answer("new-organization-declined", application, lambda: _("Your request was declined"), cause=cause)


def role_word(role: str) -> str:
    """The role in the reader's language."""
    return str(MemberRole(role).label)


def _answer(name: str, application: Application, subject: Words, *, cause: int) -> None:
    user = application.submitted_by

    def draft() -> Draft:
        said = [(_("Message"), application.message)] if application.message else []
        return Draft(
            subject=subject(),
            says=[],
            facts=[(_("Organization"), application.name), *said],
            button=Button(_("Look at your organizations"), "/manage/organizations/"),
            because=about_your_account(user),
        )

    write(user, name, draft, cause=str(cause), kind=REQUESTED)


def _pair(
    organization: Organization,
    user: User,
    words: tuple[str, str, Words, Words],
    facts: Callable[[], Facts],
    *,
    by: Actor,
    cause: int,
) -> None:
    """One letter to the *user*, another to the owners; *words* are both names, then both subjects."""
    of_user, of_owners, to_user, to_owners = words
    about: Callable[[], Facts] = lambda: [(_("User"), user.username), *facts()]  # noqa: E731 - shorter than a function
    _tell(of_user, organization, [user], to_user, about, by=by, cause=cause, kind=SECURITY)
    _tell_others(of_owners, organization, user, to_owners, facts, by=by, cause=cause)


def _tell_others(
    name: str,
    organization: Organization,
    user: User,
    subject: Words,
    facts: Callable[[], Facts],
    *,
    by: Actor,
    cause: int,
) -> None:
    others = [owner for owner in owners(organization) if owner.pk != user.pk]
    about: Callable[[], Facts] = lambda: [(_("User"), user.username), *facts()]  # noqa: E731 - shorter than a function
    _tell(name, organization, others, subject, about, by=by, cause=cause, kind=SECURITY)


def _tell(
    name: str,
    organization: Organization,
    to: Iterable[User],
    subject: Words,
    facts: Callable[[], Facts] = list,
    *,
    by: Actor,
    cause: int,
    is_there: bool = True,
    kind: Letter.Kind = Letter.Kind.NOTICE,
) -> None:
    for reader in to:

        def draft(reader: User = reader) -> Draft:
            where = f"/org/{organization.name}/"
            return Draft(
                subject=subject(),
                says=[],
                facts=[(_("Organization"), organization.name), *facts(), *_by(by)],
                button=Button(_("Look at the organization"), where) if is_there else None,
                because=about_your_account(reader),
            )

        write(reader, name, draft, cause=str(cause), kind=kind)


def _by(by: Actor) -> Facts:
    username = by.username if isinstance(by, Identity) else by.get_username() if by else ""
    return [(_("Done by"), username)] if username else []
