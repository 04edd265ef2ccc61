"""Addresses from which nobody can act, and who has signed in from an address."""

from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts import actions, queries
from packhouse.accounts.access import user_of
from packhouse.base import clock
from packhouse.console.access import may_ban, staff
from packhouse.console.forms import BanForm
from packhouse.console.listing import Listing

SHOWN: Final = 100
"""How many of the browsers that came from an address are listed."""
LISTING: Final = Listing(
    name="console-addresses",
    template="console/addresses.html",
    section="addresses",
    form=BanForm,
    field="addresses",
    rule=may_ban,
)


@require_http_methods(["GET", "POST"])
@staff
def addresses(request: HttpRequest) -> HttpResponse:
    """Lists what is banned (``?find=`` what an address is banned by, and who comes from there), and bans more."""

    def add(data: dict[str, Any]) -> str:
        until = clock.now() + timedelta(days=data["days"]) if data["days"] else None
        wanted = data["addresses"].replace(",", " ").split()
        number = actions.ban(wanted, comment=data["comment"], until=until, by=user_of(request))
        return ngettext("%(number)d address is banned now.", "%(number)d addresses are banned now.", number) % {
            "number": number
        }

    find = request.GET.get("find", "").strip()
    more = {"find": find, "devices": queries.devices_at(find, most=SHOWN)}
    return LISTING.answer(request, queries.banned_networks(find), add, **more)


@require_POST
@staff
def allow(request: HttpRequest, number: int) -> HttpResponse:
    """Ends a ban."""
    LISTING.must_allow(request)
    lifted = actions.lift_ban(number, by=user_of(request))
    return LISTING.changed(request, _("%(address)s is no longer banned.") % {"address": lifted} if lifted else "")
