"""What tokens do when something has happened to an account; in the writer's transaction."""

from packhouse.accounts.facts import AccountErased
from packhouse.accounts.models import User
from packhouse.tokens import actions, queries


def account_erased(fact: AccountErased) -> None:
    """They have not worked since the account was deleted; now they are gone."""
    user = User.objects.get(pk=fact.user_id)
    for token in queries.tokens_of(user):
        actions.delete_token(owner=user, token_id=token.pk, reason="the account was erased")
