"""Invitations: who was invited to make an account, and what has become of it."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts import actions, queries
from packhouse.accounts.access import user_of
from packhouse.base import clock
from packhouse.console.access import may_invite, staff
from packhouse.console.forms import InvitationForm
from packhouse.console.listing import Listing

LISTING: Final = Listing(
    name="console-invitations",
    template="console/invitations.html",
    section="invitations",
    form=InvitationForm,
    field="email",
    rule=may_invite,
    per_page=50,
)


@require_http_methods(["GET", "POST"])
@staff
def invitations(request: HttpRequest) -> HttpResponse:
    """Lists the invitations, the newest first, and invites one more person."""

    def add(data: dict[str, Any]) -> str:
        actions.invite_person(data["email"], by=user_of(request))
        return _("The invitation is on its way.")

    more = {"registration": settings.PACKHOUSE.registration, "now": clock.now()}
    return LISTING.answer(request, queries.invitations(), add, **more)


@require_POST
@staff
def resend(request: HttpRequest, number: int) -> HttpResponse:
    """Posts an invitation once more, with a new link."""
    LISTING.must_allow(request)
    if actions.resend_invitation(number, by=user_of(request)):
        return LISTING.changed(request, _("The invitation is on its way again. The link in the former letter is void."))
    return _too_late(request)


@require_POST
@staff
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Takes an invitation back."""
    LISTING.must_allow(request)
    if actions.withdraw_invitation(number, by=user_of(request)):
        return LISTING.changed(request, _("The invitation is withdrawn. Its link works no longer."))
    return _too_late(request)


def _too_late(request: HttpRequest) -> HttpResponse:
    return LISTING.changed(request, _("This invitation was used or withdrawn already."), failed=True)
