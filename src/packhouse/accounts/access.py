"""Whom a page is for.  Every page about an account says so with ``@for_users``; what it does not waive, it asks."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from packhouse.accounts import proof
from packhouse.accounts.models import User
from packhouse.accounts.queries import has_two_factor, has_verified_primary_email
from packhouse.accounts.rules import needs_two_factor

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
Gate = Callable[[HttpRequest], HttpResponse | None]


def for_users(
    *, verified: bool = True, two_factor: bool | None = True, recent: bool | int = True
) -> Callable[[View], View]:
    """Lets users pass: with a verified primary address, with a second factor, having lately proved who they are.

    Others are sent to where they can do what is missing.  *two_factor*: True for what belongs to publishing, False for
    what needs a factor only where everybody must have one, None for the way to a first factor and out of the account
    (``accounts.rules.needs_two_factor`` goes by the setting).  *recent*: within the usual half hour, or within so many
    seconds.
    """
    gates: list[Gate] = [_signed_in]
    if verified:
        gates.append(_verified)
    if two_factor is not None:
        gates.append(_two_factor(publishes=two_factor))
    if recent:
        seconds = proof.USUAL if recent is True else recent
        gates.append(lambda request: proof.ask(request, seconds))

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            for gate in gates:
                if (response := gate(request)) is not None:
                    return response
            return view(request, *args, **kwargs)

        return guarded  # type: ignore[return-value]

    return decorate


def user_of(request: HttpRequest) -> User:
    """The user of a request that a gate has let pass."""
    user: Any = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def _signed_in(request: HttpRequest) -> HttpResponse | None:
    if request.user.is_authenticated:
        return None
    return see_other(reverse("sign-in"), next=_here(request))


def _verified(request: HttpRequest) -> HttpResponse | None:
    if has_verified_primary_email(request.user):  # type: ignore[arg-type] # signed in, see above
        return None
    messages.warning(request, _("Verify your email address first."))
    return see_other(reverse("unverified-account"))


def _two_factor(*, publishes: bool) -> Gate:
    def gate(request: HttpRequest) -> HttpResponse | None:
        if not needs_two_factor(settings.PACKHOUSE.require_two_factor, publishes=publishes):
            return None
        if has_two_factor(request.user):  # type: ignore[arg-type] # signed in, see above
            return None
        messages.warning(request, _("Set up a second factor first."))
        return see_other("/manage/account/two-factor/", next=_here(request))

    return gate


def _here(request: HttpRequest) -> str:
    return request.get_full_path() if request.method in {"GET", "HEAD"} else request.path


def see_other(path: str, **query: str) -> HttpResponse:
    """303: the browser asks for *path* with GET, whatever it has just sent."""
    return HttpResponseRedirect(f"{path}?{urlencode(query)}" if query else path, status=303)
