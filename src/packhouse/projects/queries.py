"""Questions about projects."""

from packhouse.projects.models import Project, Role


def role_of(user_id: int | None, project: Project) -> str | None:
    """What the user is to the project: one of ``Role.Name``, or None."""
    if user_id is None:
        return None
    return Role.objects.filter(user_id=user_id, project=project).values_list("name", flat=True).first()
