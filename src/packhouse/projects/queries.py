"""Questions about projects."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from packhouse.base import clock
from packhouse.base.statements import Asked, Question
from packhouse.projects.models import Filename, JournalEntry, ProhibitedName, Project, Release, Role
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
    """What the user is to the project: one of ``Role.Name``, or None."""
    if user_id is None:
        return None
    found = _ROLE.first(user_id, project.pk)
    return None if found is None else str(found[0])


def asked_role(user_id: int | None, project: Project) -> Iterator[Asked]:
    """What `role_of` asks."""
    if user_id is not None:
        yield _ROLE, user_id, project.pk


_ROLE = Question(
    lambda user, project: Role.objects.filter(user_id=user, project_id=project).values_list("name"), int, int
)


def roles_of(project: Project) -> QuerySet[Role]:
    """Everybody with a role on the project whose account is not deleted, owners first, then by name."""
    return project.roles.filter(user__is_active=True).select_related("user").order_by("-name", "user__username")


def projects_of(user_id: int) -> QuerySet[Project]:
    """The projects on which the user has a role, by name."""
    return Project.objects.filter(roles__user_id=user_id).order_by("normalized_name")


def owned_by(user_id: int) -> QuerySet[Project]:
    """The projects of which the user is an owner, in the order in which they are locked."""
    held = Role.objects.filter(user_id=user_id, name=Role.Name.OWNER).values("project_id")
    return Project.objects.filter(pk__in=held).order_by("pk")


def owned_alone_by(user_id: int) -> QuerySet[Project]:
    """Projects that nobody but the user owns, by name."""
    others = Role.objects.filter(project=OuterRef("pk"), name=Role.Name.OWNER).exclude(user_id=user_id)
    return owned_by(user_id).filter(~Exists(others.filter(user__is_active=True))).order_by("normalized_name")


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
