"""Who may enter the console."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from packhouse.accounts.models import User
from packhouse.accounts.queries import has_two_factor
from packhouse.base.decision import ALLOWED, Decision, denied

View = Callable[..., HttpResponseBase]


def may_enter(user: User) -> Decision:
    """Staff whose account works and, unless nobody needs one, has a second factor."""
    if not (user.is_staff and user.can_act):
        return denied("not-staff", _("The console is for the people who run this index."))
    if settings.PACKHOUSE.require_two_factor != "nobody" and not has_two_factor(user):
        return denied("no-second-factor", _("The console needs a second factor. Add one to your account."))
    return ALLOWED


def may_invite(user: User) -> Decision:
    """Who decides whom the index takes in: superusers."""
    return may_enter(user) and (
        ALLOWED if user.is_superuser else denied("not-superuser", _("Only superusers invite people."))
    )


def may_prohibit(user: User) -> Decision:
    """Who decides at which domains nobody may have an address: superusers."""
    return may_enter(user) and (
        ALLOWED if user.is_superuser else denied("not-superuser", _("Only superusers prohibit domains."))
    )


def may_ban(user: User) -> Decision:
    """Who decides from where nobody can act: superusers."""
    return may_enter(user) and (
        ALLOWED if user.is_superuser else denied("not-superuser", _("Only superusers ban addresses."))
    )


def may_decide_on_tasks(user: User) -> Decision:
    """Who decides whether what has failed is tried again: superusers."""
    return may_enter(user) and (
        ALLOWED if user.is_superuser else denied("not-superuser", _("Only superusers decide on tasks."))
    )


def staff(view: View) -> View:
    """Lets staff in, sends whoever is not signed in to do so, and refuses the others."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        decision = may_enter(request.user)
        if not decision:
            raise PermissionDenied(decision.reason)
        return view(request, *args, **kwargs)

    return guarded
