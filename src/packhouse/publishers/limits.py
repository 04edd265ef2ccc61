"""How many publishers may be added."""

from django.conf import settings

from packhouse.accounts.limits import Pair, forget
from packhouse.accounts.models import User
from packhouse.base.identity import current_request
from packhouse.throttle.limit import Limit


def registration(user: User) -> list[Pair]:
    """Publishers added by *user*, and from the address of the request."""
    address = Limit("publisher.register.ip", settings.PACKHOUSE.publisher_limit, "ip")
    return [(_of_user(), (user.pk,)), (address, (current_request.get().address,))]


def clear(user: User) -> None:
    """Give *user* the whole limit back: what was added has proved right."""
    forget([(_of_user(), (user.pk,))])


def _of_user() -> Limit:
    return Limit("publisher.register.user", settings.PACKHOUSE.publisher_limit, "user")
