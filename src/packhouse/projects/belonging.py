"""Projects and organizations: given to one, taken out again, and what its teams may do with them."""

from packhouse.audit.actions import Actor, record
from packhouse.organizations.actions import subject, team_subject
from packhouse.organizations.models import Organization, Team
from packhouse.projects import emails
from packhouse.projects.actions import LastOwner, audit_project, lock_project, note_organization, take_role
from packhouse.projects.ledger import Ledger, journalled, user_id
from packhouse.projects.models import Project, Role, TeamRole


class OtherOrganization(Exception):
    """A team has roles on projects of its own organization alone."""


def move_project(*, by: Actor, project: Project, organization: Organization | None) -> Project:
    """Give the project to *organization*, or with None take it out of the one that owns it.

    Who gives it away is an owner through the organization from then on: their own role is taken.  Roles of teams of the
    former organization end.  Raises ``LastOwner`` where nobody would own it.
    """
    with journalled(by) as book:
        project = lock_project(project.pk)
        before = project.organization
        if before == organization:
            return project
        if organization is None and not project.roles.filter(name=Role.Name.OWNER, user__is_active=True).exists():
            raise LastOwner
        for role in project.team_roles.select_related("team__organization"):
            _end_team_role(book, project, role)
        project.organization = organization
        project.save(update_fields=["organization"])
        note_organization(book, project, before, organization)
        if organization is not None:
            for own in project.roles.filter(user=user_id(by), name=Role.Name.OWNER).select_related("user"):
                take_role(book, project, own)
    return project


def set_team_role(*, by: Actor, project: Project, team: Team, name: Role.Name) -> TeamRole:
    """Give the team the role *name* on a project of its organization, in place of any other.

    Raises ``OtherOrganization``.
    """
    with journalled(by) as book:
        project = lock_project(project.pk)
        if project.organization_id != team.organization_id:
            raise OtherOrganization
        role = project.team_roles.filter(team=team).first() or TeamRole(project=project, team=team)
        before = role.name
        if before == name:
            return role
        role.name = name
        role.save()
        word = f"change {before} {team.name} to {name}" if before else f"add {name} {team.name}"
        _note(book, project, team, word, before, str(name))
    return role


def remove_team_role(*, by: Actor, project: Project, team: Team) -> bool:
    """Take the team's role on the project away; False where it has none."""
    with journalled(by) as book:
        project = lock_project(project.pk)
        role = project.team_roles.filter(team=team).select_related("team__organization").first()
        if role is None:
            return False
        _end_team_role(book, project, role)
    return True


def _end_team_role(book: Ledger, project: Project, role: TeamRole) -> None:
    role.delete()
    _note(book, project, role.team, f"remove {role.name} {role.team.name}", role.name, "")


def _note(book: Ledger, project: Project, team: Team, action: str, before: str, after: str) -> None:
    """Into the journal, the trail of project, organization and team, and letters."""
    book.note(project, action)
    tag = f"team_project_role:{'change' if before and after else 'remove' if before else 'add'}"
    told = {"project_name": project.name, "team_name": team.name, "role_name": after or before}
    for one in (subject(team.organization), team_subject(team)):
        record(tag, subject=one, by=book.by, additional=told)
    event = audit_project(tag, project, book.by, target_team=team.name, role_name=after or before)
    emails.team_role_changed(project, team, before=before, after=after, by=book.by, cause=event.pk)
