"""How often wrong second factors may be tried: one limit over all kinds together, for a user and for an address.

A try of a user is counted before it is looked at, so that many at once are no more than many in a row, and forgiven
when it was right.  An address is counted only for what was wrong: many people share one.
"""

from typing import Final

from django.utils.translation import gettext as _

from packhouse.accounts.models import User
from packhouse.base.errors import TooManyRequests
from packhouse.base.identity import current_request
from packhouse.throttle import actions, queries
from packhouse.throttle.limit import Limit

USER: Final = Limit("2fa.user", "5 per 5 minutes; 20 per hour; 50 per day", "user")
ADDRESS: Final = Limit("2fa.ip", "10 per 5 minutes; 50 per hour")


def begin_try(user: User) -> None:
    """Count a try.  Raises ``TooManyRequests``.  Must be called outside of transactions."""
    address = queries.test(ADDRESS, current_request.get().address)
    if not address.allowed:
        raise _too_many(address.reset_seconds)
    verdict = actions.hit(USER, user.pk)
    if not verdict.allowed:
        raise _too_many(verdict.reset_seconds)


def was_right(user: User) -> None:
    """Forgive the user's tries: the last was right."""
    actions.clear(USER, user.pk)


def was_wrong() -> None:
    """Count a wrong try for the address that it came from."""
    actions.hit(ADDRESS, current_request.get().address)


def _too_many(seconds: int) -> TooManyRequests:
    return TooManyRequests(_("There were too many attempts. Wait before you try again."), retry_after=seconds)
