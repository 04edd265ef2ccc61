"""Who a session belongs to."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from packhouse.accounts import bans
from packhouse.accounts.models import User
from packhouse.base.statements import Question


class Users(BaseBackend):
    """Finds the user of a session on each request: nobody, as soon as the account is deleted, frozen or disabled.

    Nobody either while the address that the request comes from is banned; the session outlives that.

    Passwords are not checked here but in ``actions.prove_password``, which counts failures.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: int) -> User | None:
        user: User | None = _USER.object(User, user_id)
        return user if user is not None and user.can_act and not bans.is_banned() else None


_USER = Question(lambda user: User.objects.filter(pk=user), int)
