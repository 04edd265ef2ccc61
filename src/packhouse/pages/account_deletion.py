"""Deleting one's account: what has to be handed over first, then the question."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from packhouse.accounts import actions
from packhouse.accounts.access import for_users
from packhouse.accounts.models import User
from packhouse.accounts.views.settings import user_of
from packhouse.base.forms import TypedConfirmation
from packhouse.organizations import queries as organizations
from packhouse.projects import queries as projects


def _delete(user: User) -> bool:
    """Deletes the account unless, of several owners who go at once, the user would be the last."""
    with transaction.atomic():
        list(projects.owned_by(user.pk).select_for_update())
        list(organizations.owned_by(user.pk).select_for_update())
        if projects.owned_alone_by(user.pk).exists() or organizations.owned_alone_by(user.pk).exists():
            return False
        return actions.delete_account(user, by=user)


@require_http_methods(["GET", "POST"])
@for_users(verified=False, two_factor=None)
def delete_account(request: HttpRequest) -> HttpResponse:
    """Refuses while a project would be left without an owner, and says which."""
    user = user_of(request)
    alone = list(projects.owned_alone_by(user.pk))
    groups = list(organizations.owned_alone_by(user.pk))
    form = TypedConfirmation(request.POST or None, expected=user.username)
    if not alone and not groups and form.is_valid() and _delete(user):
        logout(request)
        messages.success(request, _("Your account is deleted. The link in the letter takes that back."))
        return redirect("home")
    context: dict[str, Any] = {
        "form": form,
        "alone": alone,
        "groups": groups,
        "account": user,
        "days": settings.PACKHOUSE.account_restore_days,
        "cancel_url": "/manage/account/",
        "section": "delete",
    }
    template = "pages/account_kept.html" if alone or groups else "pages/account_delete.html"
    return render(request, template, context, status=409 if (alone or groups) and request.method == "POST" else 200)
