"""What trusted publishing does when something has happened to a project; in the writer's transaction."""

from packhouse.projects.facts import ProjectCreated, ProjectDeleted
from packhouse.publishers import actions, pending
from packhouse.publishers.models import PendingPublisher
from packhouse.specs.names import skeleton


def project_created(fact: ProjectCreated) -> None:
    """Publishers that were to start it, or one whose name looks like it, cannot any more."""
    alike = PendingPublisher.objects.filter(skeleton=skeleton(fact.normalized_name)).select_related("user")
    for one in alike.order_by("pk"):
        pending.invalidate(one)


def project_deleted(fact: ProjectDeleted) -> None:
    """Publishers that nobody else trusts go with it."""
    actions.forget_unlinked()
