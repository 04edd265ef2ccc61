"""Projects."""

from packhouse.accounts.models import User
from packhouse.projects.models import Project, Role
from packhouse.specs import names


def make_project(name: str = "sample", *, owner: User | None = None, **fields: object) -> Project:
    project = Project.objects.create(
        name=name, normalized_name=names.normalize(name), skeleton=names.skeleton(name), **fields
    )
    if owner is not None:
        Role.objects.create(user=owner, project=project, name=Role.Name.OWNER)
    return project
