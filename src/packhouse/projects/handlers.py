"""What projects do when something has happened to an account; in the writer's transaction."""

from packhouse.accounts.facts import AccountErased
from packhouse.projects import actions
from packhouse.projects.models import Role


def account_erased(fact: AccountErased) -> None:
    """Nobody holds a role any more who cannot come back: it is taken away, also where nobody else owns the project."""
    for role in Role.objects.filter(user=fact.user_id).select_related("project").order_by("project_id"):
        actions.remove_role(by=None, project=role.project, user_id=fact.user_id, even_the_last=True)
