"""What organizations do when something has happened to an account; in the writer's transaction."""

from packhouse.accounts.facts import AccountErased
from packhouse.organizations import actions
from packhouse.organizations.models import Member


def account_erased(fact: AccountErased) -> None:
    """Nobody stays a member who cannot come back, also where nobody else owns the organization."""
    for member in Member.objects.filter(user=fact.user_id).select_related("organization").order_by("organization_id"):
        actions.remove_member(by=None, organization=member.organization, user_id=fact.user_id, even_the_last=True)
