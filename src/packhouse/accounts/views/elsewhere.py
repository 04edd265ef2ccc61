"""Single sign-on, and connecting accounts elsewhere."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from packhouse.accounts import actions, bans, elsewhere
from packhouse.accounts.access import for_users
from packhouse.accounts.models import User
from packhouse.accounts.views.settings import user_of
from packhouse.accounts.views.sign_in import FROZEN, HOME
from packhouse.base.redirects import is_own_path


@require_safe
def sign_on(request: HttpRequest) -> HttpResponse:
    """Leads to the provider, for whoever is not signed in (or has to prove who they are)."""
    return _leave(request, elsewhere.SSO)


@require_safe
def sign_on_callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to."""
    return _return(request, elsewhere.SSO)


@require_safe
@for_users()
def connect(request: HttpRequest, service: str) -> HttpResponse:
    """Leads to the service whose account is to be connected."""
    return _leave(request, service)


@require_safe
@for_users(recent=False)
def callback(request: HttpRequest, service: str) -> HttpResponse:
    """Where the service sends people back to."""
    return _return(request, service)


def _leave(request: HttpRequest, service: str) -> HttpResponse:
    answer: HttpResponse = OAuth2LoginView.adapter_view(elsewhere.adapter_of(request, service))(request)
    return answer


def _return(request: HttpRequest, service: str) -> HttpResponse:
    answer: HttpResponse = OAuth2CallbackView.adapter_view(elsewhere.adapter_of(request, service))(request)
    return answer


def identified(request: HttpRequest, answer: SocialLogin) -> HttpResponse:
    """Goes on with an answer that has been verified: signs in, or connects."""
    account: SocialAccount = answer.account
    service = elsewhere.service_of(account.provider)
    if isinstance(request.user, User) and not (answer.is_existing and answer.user == request.user):
        return _connect(request, request.user, account, service)
    if service != elsewhere.SSO:
        raise Http404
    if bans.is_banned():
        raise PermissionDenied(_("Nobody can sign in from your address."))
    try:
        user = answer.user if answer.is_existing else _register(account, service)
    except ValidationError as error:
        context = {"service": elsewhere.name_of(service), "problem": error.messages[0]}
        return render(request, "accounts/elsewhere_failed.html", context, status=409)
    if not user.can_act:
        context = {"service": elsewhere.name_of(service), "problem": str(FROZEN)}
        return render(request, "accounts/elsewhere_failed.html", context, status=403)
    record_authentication(request, user, "socialaccount", provider=account.provider, uid=account.uid)
    wanted = answer.state.get("next") or HOME
    response: HttpResponse = perform_login(
        request, Login(user=user, redirect_url=wanted if is_own_path(wanted) else HOME)
    )
    return response


def _register(account: SocialAccount, service: str) -> User:
    claims: dict[str, Any] = account.extra_data.get("userinfo") or account.extra_data.get("id_token") or {}
    return actions.register_identified(
        claims, provider=account.provider, uid=account.uid, service=elsewhere.name_of(service)
    )


def _connect(request: HttpRequest, user: User, account: SocialAccount, service: str) -> HttpResponse:
    data = account.extra_data.get("userinfo") or account.extra_data
    handle = str(data.get("login") or data.get("username") or data.get("preferred_username") or account.uid)[:100]
    try:
        actions.add_association(
            user,
            provider=account.provider,
            uid=account.uid,
            handle=handle,
            service=elsewhere.name_of(service),
            by=user,
        )
        messages.success(request, _("%(service)s is connected.") % {"service": elsewhere.name_of(service)})
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("associations")


@require_safe
@for_users(two_factor=False)
def associations(request: HttpRequest) -> HttpResponse:
    """Lists the accounts elsewhere, and what can be connected."""
    rows = SocialAccount.objects.filter(user=user_of(request)).order_by("pk")
    connected = [
        {
            "number": row.pk,
            "service": elsewhere.name_of(elsewhere.service_of(row.provider)),
            "handle": row.extra_data.get("handle", row.uid),
            "since": row.date_joined,
        }
        for row in rows
    ]
    offered = [(service, elsewhere.name_of(service)) for service in elsewhere.PROVIDERS if elsewhere.is_set_up(service)]
    context = {"connected": connected, "offered": offered, "section": "associations"}
    return render(request, "accounts/associations.html", context)


@require_POST
@for_users(two_factor=False)
def disconnect(request: HttpRequest, number: int) -> HttpResponse:
    """Disconnects an account elsewhere."""
    user = user_of(request)
    found = SocialAccount.objects.filter(user=user, pk=number).first()
    if found is None:
        raise Http404
    service = elsewhere.name_of(elsewhere.service_of(found.provider))
    try:
        actions.remove_association(user, number, service=service, by=user)
        messages.success(request, _("%(service)s is disconnected.") % {"service": service})
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("associations")
