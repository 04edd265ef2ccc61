"""What trusted publishers may do, and who may set them up.  Pure functions over plain facts."""

from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.base.identity import Identity
from packhouse.projects.models import Project


def may_publish(identity: Identity, *, trusted: bool, project: str, status: str) -> Decision:
    """Whether the publisher behind *identity* may upload to *project* (its display name).

    *trusted*: the project trusts it at this moment; ``status`` is one of ``Project.Status``.  Neither an archived nor a
    quarantined project takes its files.
    """
    if identity.kind != "publisher" or not trusted:
        return denied("publisher-not-trusted", f"The project {project!r} does not trust {identity.name!r}.")
    if status == Project.Status.ARCHIVED:
        return denied("project-archived", f"Project {project!r} is archived: it takes no new files.")
    if status == Project.Status.QUARANTINED:
        return denied("project-quarantined", f"Project {project!r} is quarantined: it takes no new files.")
    return ALLOWED
