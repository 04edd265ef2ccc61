"""How often people may fail, and how often letters are sent for them.

What counts only failures is counted *before* the check, so that many tries at once cannot slip through, and given back
when the check succeeds.  Keys are what was typed, not what it was found to be: a limit does not tell whether an account
exists.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from packhouse.accounts.models import User
from packhouse.base.errors import TooManyRequests
from packhouse.base.identity import current_request
from packhouse.throttle import actions as throttle
from packhouse.throttle import queries
from packhouse.throttle.limit import Limit

Pair = tuple[Limit, tuple[object, ...]]


def _limit(name: str, setting: str, scope: str) -> Limit:
    return Limit(name, getattr(settings.PACKHOUSE, setting), scope)


def sign_in(username: str) -> list[Pair]:
    """Failed passwords: of the name that was typed, of the address, of everybody."""
    return [
        (_limit("sign-in.user", "sign_in_limit_user", "user"), (username.strip().lower(),)),
        (_limit("sign-in.address", "sign_in_limit_address", "ip"), (current_request.get().address,)),
        (_limit("sign-in.total", "sign_in_limit_total", "global"), ()),
    ]


def second_factor(user: User) -> list[Pair]:
    """Failed second factors of all kinds together."""
    return [
        (_limit("second-factor.user", "second_factor_limit_user", "user"), (user.pk,)),
        (_limit("second-factor.address", "second_factor_limit_address", "ip"), (current_request.get().address,)),
    ]


def unknown_second_factor() -> list[Pair]:
    """Second factors that are nobody's."""
    return [(_limit("second-factor.address", "second_factor_limit_address", "ip"), (current_request.get().address,))]


def email_add() -> list[Pair]:
    return [(_limit("email.add", "email_add_limit", "ip"), (current_request.get().address,))]


def email_verify(user: User) -> list[Pair]:
    return [(_limit("email.verify", "email_verify_limit", "user"), (user.pk,))]


def email_change(user: User) -> list[Pair]:
    return [(_limit("email.change", "email_change_limit", "user"), (user.pk,))]


def password_reset(typed: str) -> list[Pair]:
    return [(_limit("password.reset", "password_reset_limit", "user"), (typed.strip().lower(),))]


@dataclass
class Attempt:
    """One try that was counted as a failure until it ``succeeded``."""

    pairs: list[Pair]
    is_over: bool = field(default=False, init=False)

    def succeeded(self) -> None:
        """Gives back what the try used up."""
        if not self.is_over:
            give_back(self.pairs)
        self.is_over = True


@contextmanager
def attempt(pairs: list[Pair]) -> Iterator[Attempt]:
    """Counts a try before it is made.  Raises ``TooManyRequests`` where a limit is used up."""
    use(pairs)
    yield Attempt(pairs)


def use(pairs: list[Pair]) -> None:
    """Uses all limits up by one.  Raises ``TooManyRequests`` where one is used up, and then uses none."""
    used: list[Pair] = []
    for limit, key in pairs:
        verdict = throttle.hit(limit, *key)
        if not verdict.allowed:
            give_back(used)
            raise too_many(verdict.reset_seconds)
        used.append((limit, key))


def give_back(pairs: list[Pair]) -> None:
    for limit, key in pairs:
        throttle.give_back(limit, *key)


def forget(pairs: list[Pair]) -> None:
    """Gives whole limits back."""
    for limit, key in pairs:
        throttle.clear(limit, *key)


def allows(pairs: list[Pair]) -> bool:
    """Whether ``use`` would succeed now."""
    return all(queries.test(limit, *key).allowed for limit, key in pairs)


def too_many(seconds: int) -> TooManyRequests:
    return TooManyRequests(_("There were too many attempts. Wait before you try again."), retry_after=seconds)
