"""The letters about projects, to those who have a role on them.

One function for each event, to be called in its transaction; *cause* is the id of its audit event.  What is deleted is
named by words, since its rows are gone or going.
"""

from collections.abc import Callable, Iterable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from packhouse.accounts.emails import SECURITY, about_your_account, write
from packhouse.accounts.models import User
from packhouse.audit.actions import Actor
from packhouse.base.identity import Identity
from packhouse.mail.draft import Button, Draft
from packhouse.organizations.emails import owners as organization_owners
from packhouse.organizations.models import Member, MemberRole, Organization, Team
from packhouse.projects.models import Project, Role

Words = Callable[[], str]
Facts = list[tuple[str, str]]


def collaborators(project: Project) -> list[User]:
    """Everybody with a role on *project*, and the owners of its organization; to be asked before it is deleted."""
    ways = Q(roles__project=project)
    if project.organization_id is not None:
        held = {"organization": project.organization_id, "role": MemberRole.OWNER}
        ways |= Q(pk__in=Member.objects.filter(**held).values("user_id"))
    return list(User.objects.filter(ways).distinct().order_by("pk"))


def owners(project: Project) -> list[User]:
    return list(User.objects.filter(roles__project=project, roles__name=Role.Name.OWNER).order_by("pk"))


def role_given(project: Project, user: User, *, role: str, by: Actor, cause: int) -> None:
    """``added-as-collaborator`` to *user*, ``collaborator-added`` to the owners."""
    _about_a_role(
        project,
        user,
        names=("added-as-collaborator", "collaborator-added"),
        subjects=(
            lambda: _("You are now a collaborator of %(project)s") % {"project": project.name},
            lambda: _("%(project)s has a new collaborator") % {"project": project.name},
        ),
        facts=lambda: [(_("Role"), _role(role))],
        by=by,
        cause=cause,
    )


def role_changed(project: Project, user: User, *, before: str, after: str, by: Actor, cause: int) -> None:
    """``role-changed-as-collaborator`` to *user*, ``collaborator-role-changed`` to the owners."""
    _about_a_role(
        project,
        user,
        names=("role-changed-as-collaborator", "collaborator-role-changed"),
        subjects=(
            lambda: _("Your role on %(project)s was changed") % {"project": project.name},
            lambda: _("A role on %(project)s was changed") % {"project": project.name},
        ),
        facts=lambda: [(_("Old role"), _role(before)), (_("New role"), _role(after))],
        by=by,
        cause=cause,
    )


def role_taken(project: Project, user: User, *, role: str, by: Actor, cause: int) -> None:
    """``removed-as-collaborator`` to *user*, ``collaborator-removed`` to the owners."""
    _about_a_role(
        project,
        user,
        names=("removed-as-collaborator", "collaborator-removed"),
        subjects=(
            lambda: _("You are no longer a collaborator of %(project)s") % {"project": project.name},
            lambda: _("%(project)s has lost a collaborator") % {"project": project.name},
        ),
        facts=lambda: [(_("Former role"), _role(role))],
        by=by,
        cause=cause,
    )


def project_deleted(project: Project, to: Iterable[User], *, by: Actor, cause: int) -> None:
    """``removed-project`` to those who were its collaborators."""

    def subject() -> str:
        return _("The project %(project)s was deleted") % {"project": project.name}

    def says() -> str:
        return _("All its releases and files are gone. Others may now start a project under its name.")

    _tell("removed-project", project, to, subject, says, by=by, cause=cause, is_there=False)


def project_moved(project: Project, organization: Organization, *, added: bool, by: Actor, cause: int) -> None:
    """``organization-project-added`` or ``-removed`` to the organization's owners and the project's."""

    def subject() -> str:
        words = _("%(name)s now owns %(project)s") if added else _("%(name)s no longer owns %(project)s")
        return words % {"name": organization.display_name, "project": project.name}

    def facts() -> Facts:
        return [(_("Organization"), organization.name)]

    everybody = {owner.pk: owner for owner in (*organization_owners(organization), *owners(project))}
    name = f"organization-project-{'added' if added else 'removed'}"
    _tell(name, project, everybody.values(), subject, None, facts, by=by, cause=cause, is_security=True)


def team_role_changed(project: Project, team: Team, *, before: str, after: str, by: Actor, cause: int) -> None:
    """``…-as-team-collaborator`` to the members of *team*, ``team-collaborator-…`` to all owners who are not in it."""

    def subject() -> str:
        if not before:
            words = _("The team %(team)s has a role on %(project)s")
        elif after:
            words = _("The role of the team %(team)s on %(project)s was changed")
        else:
            words = _("The team %(team)s no longer has a role on %(project)s")
        return words % {"team": team.name, "project": project.name}

    def facts() -> Facts:
        found = [(_("Old role"), _role(before))] if before else []
        return [(_("Team"), team.name), *found, *([(_("New role"), _role(after))] if after else [])]

    members = list(User.objects.filter(pk__in=team.members.values("user_id")).order_by("pk"))
    others = {one.pk: one for one in (*organization_owners(team.organization), *owners(project))}
    for member in members:
        others.pop(member.pk, None)
    word = "role-changed" if before and after else "removed" if before else "added"
    to_members, to_others = f"{word}-as-team-collaborator", f"team-collaborator-{word}"
    _tell(to_members, project, members, subject, None, facts, by=by, cause=cause, is_security=True)
    _tell(to_others, project, others.values(), subject, None, facts, by=by, cause=cause, is_security=True)


def release_deleted(project: Project, *, version: str, by: Actor, cause: int) -> None:
    """``removed-project-release`` to the collaborators."""

    def subject() -> str:
        return _("Release %(version)s of %(project)s was deleted") % {"version": version, "project": project.name}

    def says() -> str:
        return _("Its files are gone, and their names cannot be used again.")

    _tell("removed-project-release", project, collaborators(project), subject, says, by=by, cause=cause)


def file_deleted(project: Project, *, version: str, filename: str, by: Actor, cause: int) -> None:
    """``removed-project-release-file`` to the collaborators."""

    def subject() -> str:
        return _("A file of %(project)s %(version)s was deleted") % {"version": version, "project": project.name}

    def says() -> str:
        return _("Its name cannot be used again.")

    _tell(
        "removed-project-release-file",
        project,
        collaborators(project),
        subject,
        says,
        lambda: [(_("File"), filename)],
        by=by,
        cause=cause,
    )


def release_yanked(project: Project, *, version: str, reason: str, by: Actor, cause: int) -> None:
    """``yanked-project-release`` to the collaborators."""

    def subject() -> str:
        return _("Release %(version)s of %(project)s was yanked") % {"version": version, "project": project.name}

    def says() -> str:
        return _("Installers pass over it, unless somebody asks for exactly this version.")

    def facts() -> Facts:
        return [(_("Reason"), reason)] if reason else []

    _tell("yanked-project-release", project, collaborators(project), subject, says, facts, by=by, cause=cause)


def release_unyanked(project: Project, *, version: str, by: Actor, cause: int) -> None:
    """``unyanked-project-release`` to the collaborators."""

    def subject() -> str:
        return _("Release %(version)s of %(project)s is no longer yanked") % {
            "version": version,
            "project": project.name,
        }

    def says() -> str:
        return _("Installers choose it again.")

    _tell("unyanked-project-release", project, collaborators(project), subject, says, by=by, cause=cause)


def wheel_record_mismatch(project: Project, *, filename: str, mismatches: Iterable[str], by: Actor, cause: int) -> None:
    """``wheel-record-mismatch-email`` to the collaborators: the wheel was accepted, though its RECORD is wrong."""
    shown = "; ".join(mismatches)

    def subject() -> str:
        return _("A wheel of %(project)s does not hold what its RECORD says") % {"project": project.name}

    def says() -> str:
        return _("It was accepted this time. Mend the tool that builds it: such wheels will be refused.")

    _tell(
        "wheel-record-mismatch-email",
        project,
        collaborators(project),
        subject,
        says,
        lambda: [(_("File"), filename), (_("Differs"), shown)],
        by=by,
        cause=cause,
    )


def _about_a_role(
    project: Project,
    user: User,
    *,
    names: tuple[str, str],
    subjects: tuple[Words, Words],
    facts: Callable[[], Facts],
    by: Actor,
    cause: int,
) -> None:
    """One letter to the *user*, another to the owners; of *names* and *subjects* the first are the user's."""

    def everything() -> Facts:
        return [(_("User"), user.username), *facts()]

    _tell(names[0], project, [user], subjects[0], None, everything, by=by, cause=cause, is_security=True)
    others = [owner for owner in owners(project) if owner.pk != user.pk]
    _tell(names[1], project, others, subjects[1], None, everything, by=by, cause=cause, is_security=True)


def _tell(
    name: str,
    project: Project,
    to: Iterable[User],
    subject: Words,
    says: Words | None,
    facts: Callable[[], Facts] = list,
    *,
    by: Actor,
    cause: int,
    is_there: bool = True,
    is_security: bool = False,
) -> None:
    for reader in to:

        def draft(reader: User = reader) -> Draft:
            return Draft(
                subject=subject(),
                says=[says()] if says else [],
                facts=[(_("Project"), project.name), *facts(), *_by(by)],
                button=Button(_("Look at the project"), f"/project/{project.normalized_name}/") if is_there else None,
                because=about_your_account(reader),
            )

        if is_security:
            write(reader, name, draft, cause=str(cause), kind=SECURITY)
        else:
            write(reader, name, draft, cause=str(cause))


def _by(by: Actor) -> Facts:
    username = by.name if isinstance(by, Identity) else by.get_username() if by else ""
    return [(_("Done by"), username)] if username else []


def _role(role: str) -> str:
    words = {Role.Name.OWNER: pgettext("role", "Owner"), Role.Name.MAINTAINER: pgettext("role", "Maintainer")}
    return words.get(Role.Name(role), role)
