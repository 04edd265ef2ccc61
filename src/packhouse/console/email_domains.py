"""Domains at which nobody may have an address: those of throw-away mail, above all."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts import actions, queries
from packhouse.accounts.access import user_of
from packhouse.console.access import may_prohibit, staff
from packhouse.console.forms import ProhibitionForm
from packhouse.console.listing import Listing

LISTING: Final = Listing(
    name="console-email-domains",
    template="console/email_domains.html",
    section="email-domains",
    form=ProhibitionForm,
    field="domains",
    rule=may_prohibit,
)


@require_http_methods(["GET", "POST"])
@staff
def email_domains(request: HttpRequest) -> HttpResponse:
    """Lists the prohibited domains (``?find=`` some of them), and prohibits more."""

    def add(data: dict[str, Any]) -> str:
        domains = data["domains"].replace(",", " ").split()
        number = actions.prohibit_domains(
            domains, comment=data["comment"], by=user_of(request), with_servers=data["with_servers"]
        )
        told = ngettext("%(number)d domain is prohibited now.", "%(number)d domains are prohibited now.", number)
        return told % {"number": number}

    find = request.GET.get("find", "").strip()
    more = {"find": find, "config": settings.PACKHOUSE}
    return LISTING.answer(request, queries.prohibited_domains(find), add, **more)


@require_POST
@staff
def allow(request: HttpRequest, number: int) -> HttpResponse:
    """Takes a prohibition back."""
    LISTING.must_allow(request)
    domain = actions.allow_domain(number, by=user_of(request))
    told = _("Addresses at %(domain)s can be used again.") % {"domain": domain} if domain else ""
    return LISTING.changed(request, told)
