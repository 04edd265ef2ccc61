"""Domains at which nobody may have an address: those of throw-away mail, above all."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts import actions, queries
from packhouse.accounts.access import user_of
from packhouse.console.access import may_prohibit, staff
from packhouse.console.forms import ProhibitionForm

A_PAGE: Final = 100


@require_http_methods(["GET", "POST"])
@staff
def email_domains(request: HttpRequest) -> HttpResponse:
    """Lists the prohibited domains (``?find=`` some of them), and prohibits more."""
    may = may_prohibit(user_of(request))
    if request.method == "POST":
        _must(request)
    form = ProhibitionForm(request.POST or None)
    if form.is_valid():
        domains, comment = form.cleaned_data["domains"].replace(",", " ").split(), form.cleaned_data["comment"]
        try:
            number = actions.prohibit_domains(domains, comment=comment, by=user_of(request))
        except ValidationError as error:
            form.add_error("domains", error)
        else:
            told = ngettext("%(number)d domain is prohibited now.", "%(number)d domains are prohibited now.", number)
            messages.success(request, told % {"number": number})
            return redirect("console-email-domains")
    find = request.GET.get("find", "").strip()
    context = {
        "page": Paginator(queries.prohibited_domains(find), A_PAGE).get_page(request.GET.get("page")),
        "form": form if may else None,
        "find": find,
        "section": "email-domains",
    }
    return render(request, "console/email_domains.html", context)


@require_POST
@staff
def allow(request: HttpRequest, number: int) -> HttpResponse:
    """Takes a prohibition back."""
    _must(request)
    domain = actions.allow_domain(number, by=user_of(request))
    if domain:
        messages.success(request, _("Addresses at %(domain)s can be used again.") % {"domain": domain})
    return redirect("console-email-domains")


def _must(request: HttpRequest) -> None:
    decision = may_prohibit(user_of(request))
    if not decision:
        raise PermissionDenied(decision.reason)
