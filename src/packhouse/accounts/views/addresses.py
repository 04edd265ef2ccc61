"""The addresses of one's own account."""

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts import actions, limits, queries
from packhouse.accounts.access import for_users
from packhouse.accounts.forms import AddAddress, CorrectAddress
from packhouse.accounts.views.registration import METHODS, show
from packhouse.accounts.views.settings import user_of


@require_http_methods(METHODS)
@for_users(two_factor=False)
def addresses(request: HttpRequest) -> HttpResponse:
    """Lists the addresses, and adds one."""
    user = user_of(request)
    form = AddAddress(request.POST or None)
    if form.is_valid():
        limits.use(limits.email_add())
        try:
            actions.add_address(user, form.cleaned_data["email"], by=user)
        except ValidationError as error:
            limits.give_back(limits.email_add())
            show(form, error)
        else:
            messages.success(request, _("A link to verify the address is on its way."))
            return redirect("addresses")
    context = {"form": form, "addresses": queries.addresses_of(user), "section": "emails"}
    return render(request, "accounts/addresses.html", context)


def _own(request: HttpRequest, number: int) -> EmailAddress:
    return get_object_or_404(EmailAddress, pk=number, user=user_of(request))


@require_POST
@for_users(two_factor=False)
def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Removes an address."""
    address = _own(request, number)
    try:
        actions.remove_address(user_of(request), address, by=user_of(request))
        messages.success(request, _("%(email)s is removed.") % {"email": address.email})
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("addresses")


@require_POST
@for_users()
def make_primary(request: HttpRequest, number: int) -> HttpResponse:
    """Makes an address the primary one."""
    address = _own(request, number)
    try:
        actions.set_primary_address(user_of(request), address, by=user_of(request))
        messages.success(request, _("%(email)s is your primary address.") % {"email": address.email})
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("addresses")


@require_POST
@for_users(verified=False, two_factor=None, recent=False)
def resend(request: HttpRequest, number: int) -> HttpResponse:
    """Posts the link that verifies an address once more."""
    address = _own(request, number)
    if not address.verified:
        limits.use(limits.email_verify(user_of(request)))
        actions.send_verification(address, by=user_of(request))
        messages.success(request, _("A link to verify the address is on its way."))
    return redirect("unverified-account" if address.primary else "addresses")


@require_http_methods(METHODS)
@for_users(verified=False, two_factor=None, recent=False)
def verify(request: HttpRequest) -> HttpResponse:
    """Where the link in the letter leads: verifies the address when the button is pressed."""
    if request.method == "GET":
        return render(request, "accounts/verify_email.html")
    user = user_of(request)
    address = actions.verify_address(user, request.GET.get("token", ""))
    if address is None:
        return render(request, "accounts/link_void.html", {"again": "unverified-account"}, status=400)
    limits.forget(limits.email_verify(user))
    limits.forget(limits.email_add())
    messages.success(request, _("%(email)s is verified.") % {"email": address.email})
    return redirect("account" if queries.has_two_factor(user) else "/manage/account/two-factor/")


@require_http_methods(METHODS)
@for_users(verified=False, two_factor=None, recent=False)
def unverified(request: HttpRequest) -> HttpResponse:
    """For those whose primary address is not verified: what to do, and how to correct it."""
    user = user_of(request)
    primary = EmailAddress.objects.filter(user=user, primary=True).first()
    if primary is not None and primary.verified:
        return redirect("account")
    may_correct = primary is not None and not queries.has_two_factor(user)
    form = CorrectAddress(request.POST or None)
    if may_correct and form.is_valid():
        limits.use(limits.email_change(user))
        try:
            actions.correct_address(user, form.cleaned_data["email"], by=user)
        except ValidationError as error:
            show(form, error)
        else:
            messages.success(request, _("A link to verify the address is on its way."))
            return redirect("unverified-account")
    context = {"form": form if may_correct else None, "primary": primary}
    return render(request, "accounts/unverified.html", context)
