"""Invitations: who was invited to make an account, and what has become of it."""

from typing import Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts import actions, queries
from packhouse.accounts.access import user_of
from packhouse.base import clock
from packhouse.console.access import may_invite, staff
from packhouse.console.forms import InvitationForm

A_PAGE: Final = 50


@require_http_methods(["GET", "POST"])
@staff
def invitations(request: HttpRequest) -> HttpResponse:
    """Lists the invitations, the newest first, and invites one more person."""
    may = may_invite(user_of(request))
    if request.method == "POST":
        _must_invite(request)
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        try:
            actions.invite_person(form.cleaned_data["email"], by=user_of(request))
        except ValidationError as error:
            form.add_error("email", error)
        else:
            messages.success(request, _("The invitation is on its way."))
            return redirect("console-invitations")
    context = {
        "page": Paginator(queries.invitations(), A_PAGE).get_page(request.GET.get("page")),
        "form": form if may else None,
        "registration": settings.PACKHOUSE.registration,
        "now": clock.now(),
        "section": "invitations",
    }
    return render(request, "console/invitations.html", context)


@require_POST
@staff
def resend(request: HttpRequest, number: int) -> HttpResponse:
    """Posts an invitation once more, with a new link."""
    _must_invite(request)
    if actions.resend_invitation(number, by=user_of(request)):
        messages.success(request, _("The invitation is on its way again. The link in the former letter is void."))
    else:
        messages.error(request, _("This invitation was used or withdrawn already."))
    return redirect("console-invitations")


@require_POST
@staff
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Takes an invitation back."""
    _must_invite(request)
    if actions.withdraw_invitation(number, by=user_of(request)):
        messages.success(request, _("The invitation is withdrawn. Its link works no longer."))
    else:
        messages.error(request, _("This invitation was used or withdrawn already."))
    return redirect("console-invitations")


def _must_invite(request: HttpRequest) -> None:
    decision = may_invite(user_of(request))
    if not decision:
        raise PermissionDenied(decision.reason)
