"""Questions about projects."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db.models import CharField, Exists, Max, OuterRef, Q, QuerySet, Value

from packhouse.base import clock
from packhouse.base.statements import Asked, Question
from packhouse.organizations.models import Member, MemberRole, Organization
from packhouse.projects.models import Filename, JournalEntry, ProhibitedName, Project, Release, Role, TeamRole
from packhouse.projects.rules import greatest
from packhouse.specs import versions
from packhouse.specs.errors import Refused
from packhouse.specs.names import check_project_name, normalize, skeleton

REASONS: dict[str, str] = {
    "project-name-exists": "The project exists already.",
    "project-name-prohibited": "The administrators of this index have closed the name.",
    "project-name-too-similar": "The name is too similar to that of a project which exists: separators do not count,"
    " and neither does the difference between 1, l and I or between 0 and o.",
}


def find_project(name: str) -> Project | None:
    """The project of that name, in any spelling."""
    found: Project | None = _PROJECT.object(Project, normalize(name))
    return found


_PROJECT = Question(lambda name: Project.objects.filter(normalized_name=name), str)


def find_release(project: Project, version: str) -> Release | None:
    """The release of that version, in any spelling that PEP 440 counts as equal."""
    try:
        canonical = versions.canonical(versions.parse(version))
    except Refused:
        return None
    return project.releases.filter(canonical_version=canonical).first()


def release_of(project_id: int, canonical_version: str) -> Release | None:
    """The release of that canonical version."""
    found: Release | None = _RELEASE.object(Release, project_id, canonical_version)
    return found


def asked_release(project_id: int, canonical_version: str) -> Asked:
    """What `release_of` asks."""
    return _RELEASE, project_id, canonical_version


_RELEASE = Question(
    lambda project, version: Release.objects.filter(project_id=project, canonical_version=version), int, str
)


def objection_to(name: str) -> Refused | None:
    """Why nobody can start a project called *name* now; None when one can."""
    try:
        check_project_name(name)
    except Refused as refused:
        return refused
    normalized = normalize(name)
    # One query, because another may be taking the name just now.
    either = Q(skeleton=skeleton(name)) | Q(normalized_name=normalized)
    alike = set(Project.objects.filter(either).values_list("normalized_name", flat=True))
    if normalized in alike:
        return Refused("project-name-exists", f"The name {name!r} conflicts with an existing project.", field="name")
    if ProhibitedName.objects.filter(normalized_name=normalized).exists():
        return Refused("project-name-prohibited", f"The name {name!r} isn't allowed here.", field="name")
    if alike:
        message = f"The name {name!r} is too similar to an existing project. Choose another name."
        return Refused("project-name-too-similar", message, field="name")
    return None


def role_of(user_id: int | None, project: Project) -> str | None:
    """What the user is to the project, by whatever way: one of ``Role.Name``, or None.

    By a role of one's own, as an owner of the organization that owns the project, or by the role of a team.
    """
    return None if user_id is None else greatest(str(name) for _, name in _ways(project).rows(user_id, project.pk))


def roles_in(user_id: int, project_ids: Collection[int]) -> dict[int, str]:
    """The same for many projects; those to which the user is nothing are left out."""
    found: dict[int, list[str]] = {}
    for project_id, name in _held(user_id, list(project_ids)) if project_ids else ():
        found.setdefault(project_id, []).append(name)
    return {project_id: greatest(names) or "" for project_id, names in found.items()}


def asked_role(user_id: int | None, project: Project) -> Iterator[Asked]:
    """What `role_of` asks."""
    if user_id is not None:
        yield _ways(project), user_id, project.pk


def _held(user_id: int, projects: Any) -> Any:
    """Project and role for each way in which the user has one on *projects*: a list of numbers, or one of them."""
    chosen = {"project_id": projects} if isinstance(projects, int) else {"project_id__in": projects}
    own = Role.objects.filter(user_id=user_id, **chosen).values_list("project_id", "name")
    owners = {"organization__members__user_id": user_id, "organization__members__role": MemberRole.OWNER.value}
    named = {name.replace("project_id", "pk"): value for name, value in chosen.items()}
    owned = Project.objects.filter(**owners, **named).annotate(held=Value(Role.Name.OWNER.value, CharField()))
    teams = TeamRole.objects.filter(team__members__user_id=user_id, **chosen).values_list("project_id", "name")
    return own.order_by().union(owned.order_by().values_list("pk", "held"), teams.order_by(), all=True)


def _ways(project: Project) -> Question:
    """The question after the ways in which somebody can have a role on *project*: few where no organization owns it."""
    return _OWN_ROLE if project.organization_id is None else _ROLE


_ROLE = Question(_held, int, int)
_OWN_ROLE = Question(
    lambda user, project: Role.objects.filter(user_id=user, project_id=project).values_list("project_id", "name"),
    int,
    int,
)


def roles_of(project: Project) -> QuerySet[Role]:
    """Everybody with a role on the project whose account is not deleted, owners first, then by name."""
    return project.roles.filter(user__is_active=True).select_related("user").order_by("-name", "user__username")


def team_roles_of(project: Project) -> QuerySet[TeamRole]:
    """The teams with a role on the project, owners first, then by name."""
    return project.team_roles.select_related("team__organization").order_by("-name", "team__normalized_name")


def projects_of(user_id: int) -> QuerySet[Project]:
    """The projects on which the user has a role of their own, by name: what everybody sees."""
    return Project.objects.filter(roles__user_id=user_id).order_by("normalized_name")


def reached_by(user_id: int) -> QuerySet[Project]:
    """The projects on which the user has a role by whatever way, by name; see `role_of`."""
    own = Role.objects.filter(user_id=user_id).values("project_id")
    teams = TeamRole.objects.filter(team__members__user_id=user_id).values("project_id")
    owned = Member.objects.filter(user_id=user_id, role=MemberRole.OWNER).values("organization_id")
    ways = Q(pk__in=own) | Q(organization_id__in=owned) | Q(pk__in=teams)
    return Project.objects.filter(ways).order_by("normalized_name")


def projects_in(organization: Organization) -> QuerySet[Project]:
    """The projects of an organization, by name."""
    return Project.objects.filter(organization=organization).order_by("normalized_name")


def owned_by(user_id: int) -> QuerySet[Project]:
    """The projects of which the user is an owner, in the order in which they are locked."""
    held = Role.objects.filter(user_id=user_id, name=Role.Name.OWNER).values("project_id")
    return Project.objects.filter(pk__in=held).order_by("pk")


def owned_alone_by(user_id: int) -> QuerySet[Project]:
    """Projects that nobody but the user owns, by name: those of organizations have other owners."""
    others = Role.objects.filter(project=OuterRef("pk"), name=Role.Name.OWNER).exclude(user_id=user_id)
    alone = owned_by(user_id).filter(~Exists(others.filter(user__is_active=True)), organization=None)
    return alone.order_by("normalized_name")


def was_used(filename: str) -> bool:
    """Whether a file of that name was ever published."""
    return _WAS_USED.exists(filename)


def asked_use(filename: str) -> Asked:
    """What `was_used` asks."""
    return _WAS_USED, filename


_WAS_USED = Question(lambda name: Filename.objects.filter(filename=name).values_list("pk"), str)


def newest_serial() -> int:
    """The id of the newest journal entry; 0 when nothing has happened yet."""
    return JournalEntry.objects.aggregate(newest=Max("id"))["newest"] or 0


def newest_change() -> datetime:
    """When the newest journal entry was written; now, when there is none."""
    newest = JournalEntry.objects.order_by("-pk").values_list("created", flat=True).first()
    return newest or clock.now()


def journal_since(serial: int) -> QuerySet[JournalEntry]:
    """Journal entries after *serial*, oldest first."""
    return JournalEntry.objects.filter(pk__gt=serial).order_by("pk")
