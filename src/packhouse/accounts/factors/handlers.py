"""The letters that second factors cause; in the writer's transaction."""

from uuid import uuid4

from packhouse.accounts import emails
from packhouse.accounts.factors import facts
from packhouse.accounts.models import User
from packhouse.audit.words import VALUES


def factor_added(fact: facts.FactorAdded) -> None:
    user = User.objects.get(pk=fact.user_id)
    emails.two_factor_added(user, method=_in_words(fact.method, fact.label), cause=str(uuid4()))


def factor_removed(fact: facts.FactorRemoved) -> None:
    user = User.objects.get(pk=fact.user_id)
    emails.two_factor_removed(user, method=_in_words(fact.method, fact.label), cause=str(uuid4()))


def recovery_codes_generated(fact: facts.RecoveryCodesGenerated) -> None:
    emails.recovery_codes_generated(User.objects.get(pk=fact.user_id), cause=str(uuid4()))


def recovery_code_used(fact: facts.RecoveryCodeUsed) -> None:
    emails.recovery_code_used(User.objects.get(pk=fact.user_id), left=fact.left, cause=str(uuid4()))


def _in_words(method: str, label: str) -> str:
    return f"{VALUES[method]} “{label}”" if label else str(VALUES[method])
