"""Who may do what to a project.  Pure functions over plain facts."""

from collections.abc import Iterable

from packhouse.accounts.rules import must_have_two_factor, must_have_verified_email
from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.base.identity import Identity
from packhouse.organizations.rules import may
from packhouse.projects.models import Project, Role

UPLOADERS = frozenset({Role.Name.OWNER, Role.Name.MAINTAINER})
"""The roles whose holders may upload."""


def greatest(roles: Iterable[str]) -> str | None:
    """The role that counts of somebody who has several on a project: of their own, by teams, by an organization."""
    held = set(roles)
    return next((str(role) for role in (Role.Name.OWNER, Role.Name.MAINTAINER) if role in held), None)


def may_move(
    identity: Identity, *, role: str | None, organization_role: str | None, project: str, organization: str | None
) -> Decision:
    """Whether the identity's user may give the project to an organization, or take it out of its *organization*.

    *role* is the user's on the project; *organization_role* that in its organization, of which only owners decide.
    """
    if organization is not None:
        return may("remove-projects", identity, role=organization_role, organization=organization)
    return may_manage(identity, role=role, project=project)


def may_upload(identity: Identity, *, role: str | None, project: str, status: str) -> Decision:
    """Whether the identity's user, who has *role* on the project (None: no role), may upload to it.

    ``project`` is the display name, ``status`` one of ``Project.Status``.  An archived project takes nobody's files; a
    quarantined one still its users'.
    """
    if identity.kind != "user" or role not in UPLOADERS:
        return denied(
            "not-a-collaborator", f"The user {identity.username!r} isn't allowed to upload to project {project!r}."
        )
    if status == Project.Status.ARCHIVED:
        return denied("project-archived", f"Project {project!r} is archived: it takes no new files.")
    return ALLOWED


def may_manage(identity: Identity, *, role: str | None, project: str) -> Decision:
    """Whether the identity's user may change the project's settings, releases, files and roles."""
    if identity.kind == "user" and role == Role.Name.OWNER:
        return ALLOWED
    return denied("not-an-owner", f"Only owners of {project!r} may change it.")


def may_read(identity: Identity, *, role: str | None, project: str) -> Decision:
    """Whether the identity's user sees what collaborators alone see of the project."""
    if identity.kind == "user" and role in UPLOADERS:
        return ALLOWED
    return denied("not-a-collaborator", f"The user {identity.username!r} is no collaborator of {project!r}.")


def may_yank(identity: Identity, *, role: str | None, project: str, status: str) -> Decision:
    """Whether the identity's user may take releases out of resolution and put them back.

    Of a quarantined project nothing changes before that is over.
    """
    if status == Project.Status.QUARANTINED:
        return denied("project-quarantined", f"Project {project!r} is quarantined: its releases stay as they are.")
    return may_manage(identity, role=role, project=project)


def may_archive(identity: Identity, *, role: str | None, project: str, status: str) -> Decision:
    """Whether the identity's user may archive the project, or take that back."""
    return may_yank(identity, role=role, project=project, status=status)


def may_create_project(identity: Identity, *, two_factor_setting: str) -> Decision:
    """Whether the identity may create a project by uploading to a new name.

    ``two_factor_setting`` is ``require_two_factor``.  Only users create projects: a trusted publisher that arrives here
    was set up for another name.
    """
    if identity.kind != "user":
        return denied(
            "publisher-creates-project",
            "Non-user identities cannot create new projects. This was probably caused by a pending publisher whose "
            "project name differs from the name in the metadata.",
        )
    return must_have_verified_email(identity) and must_have_two_factor(identity, two_factor_setting)
