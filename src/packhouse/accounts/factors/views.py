"""Account settings: second factors."""

import io
from typing import Final

import qrcode
from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from fido2.webauthn import AttestedCredentialData
from qrcode.image.svg import SvgPathFillImage

from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.actions import end_other_sessions
from packhouse.accounts.factors import actions, queries, totp, webauthn
from packhouse.accounts.factors.forms import AppForm, KeyForm, LabelForm
from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.base.forms import TypedConfirmation
from packhouse.base.redirects import is_own_path

SECRET: Final = "packhouse.totp.secret"
NEXT: Final = "packhouse.two-factor.next"
ISSUER: Final = "Packhouse"


@require_safe
@for_users(two_factor=None)
def overview(request: HttpRequest) -> HttpResponse:
    """All second factors of the user.  ``?next=`` is where to go once there is one."""
    wanted = request.GET.get("next", "")
    if is_own_path(wanted):
        request.session[NEXT] = wanted
    user = user_of(request)
    context = {
        "section": "two-factor",
        "factors": queries.overview(user),
        "keys_possible": webauthn.is_possible(),
        "required": queries.setting(),
    }
    return render(request, "factors/overview.html", context)


@require_http_methods(["GET", "POST"])
@for_users(two_factor=None)
def set_up_app(request: HttpRequest) -> HttpResponse:
    """Shows a fresh secret, and takes the first code made with it."""
    user = user_of(request)
    if request.method != "POST" or SECRET not in request.session:
        request.session[SECRET] = totp.new_secret()
    secret: str = request.session[SECRET]
    form = AppForm(request.POST or None, secret=secret, now=clock.now().timestamp())
    if form.is_valid():
        actions.set_up_app(user=user, secret=secret, step=form.step, by=user)
        del request.session[SECRET]
        return _after_adding(request, user, _("The authenticator app is set up."))
    spaced = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
    context = {"section": "two-factor", "form": form, "secret": secret, "spaced": spaced}
    return render(request, "factors/app.html", context)


@require_safe
@for_users(two_factor=None)
def app_code(request: HttpRequest) -> HttpResponse:
    """The QR code of the secret that is being set up."""
    secret = request.session.get(SECRET)
    if secret is None:
        raise Http404
    uri = totp.provisioning_uri(secret, account=user_of(request).username, issuer=ISSUER)
    out = io.BytesIO()
    qrcode.make(uri, image_factory=SvgPathFillImage).save(out)
    return HttpResponse(out.getvalue(), content_type="image/svg+xml")


@require_http_methods(["GET", "POST"])
@for_users(two_factor=None)
def add_key(request: HttpRequest) -> HttpResponse:
    """A new key: the script asks the browser for it and sends this form."""
    user = user_of(request)
    form = KeyForm(request.POST or None)
    if form.is_valid():
        try:
            return _register(request, user, form)
        except ValidationError as error:
            form.add_error(None, error)
        except webauthn.AnswerRefused:
            form.add_error(None, _("The key could not be registered. Try again."))
    context = {"section": "two-factor", "form": form, "possible": webauthn.is_possible()}
    return render(request, "factors/add_key.html", context)


def _register(request: HttpRequest, user: User, form: KeyForm) -> HttpResponse:
    data, is_passkey = webauthn.registered(request.session, user, form.cleaned_data["credential"])
    key = actions.add_key(user=user, label=form.cleaned_data["label"], data=data, is_passkey=is_passkey, by=user)
    return _after_adding(request, user, _("The key “%s” is registered.") % key.factor.data["name"])


@require_POST
@for_users(two_factor=None)
def key_options(request: HttpRequest, kind: str) -> HttpResponse:
    """What the script asks the browser for; *kind* is ``passkey`` or ``key``."""
    user = user_of(request)
    known = [AttestedCredentialData(bytes(key.credential)) for key in queries.keys_of(user)]
    return JsonResponse(webauthn.ask_to_register(request.session, user, known, passkey=kind == "passkey"))


@require_http_methods(["GET", "POST"])
@for_users(two_factor=None)
def rename_key(request: HttpRequest, number: int) -> HttpResponse:
    """Another name for a key."""
    user = user_of(request)
    factor = _factor_or_404(user, number)
    form = LabelForm(request.POST or None, initial={"label": factor.data.get("name")})
    if form.is_valid():
        try:
            actions.rename_key(user=user, factor_id=number, label=form.cleaned_data["label"])
        except Authenticator.DoesNotExist:
            raise Http404 from None
        except ValidationError as error:
            form.add_error("label", error.messages[0])
        else:
            return redirect("two-factor-settings")
    return render(request, "factors/rename_key.html", {"section": "two-factor", "form": form, "factor": factor})


@require_http_methods(["GET", "POST"])
@for_users(two_factor=None)
def remove(request: HttpRequest, number: int) -> HttpResponse:
    """Asks, then removes a factor; a key asks for its name."""
    user = user_of(request)
    factor = _factor_or_404(user, number)
    label = factor.data.get("name", "")
    form = TypedConfirmation(request.POST or None, expected=label) if label else Form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.remove_factor(user=user, factor_id=number, by=user)
        except ValidationError as error:
            messages.error(request, _(error.messages[0]))
        else:
            end_other_sessions(user, request)
            messages.success(request, _("The second factor is removed. All other sessions are ended."))
        return redirect("two-factor-settings")
    context = {"form": form, "factor": factor, "label": label, "cancel_url": "/manage/account/two-factor/"}
    return render(request, "factors/remove.html", context)


@require_http_methods(["GET", "POST"])
@for_users(two_factor=None, recent=60)
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes recovery codes and shows them, this once."""
    user = user_of(request)
    factors = queries.overview(user)
    if not factors.count:
        messages.info(request, _("Set up a second factor first. Recovery codes stand in for one that is lost."))
        return redirect("two-factor-settings")
    codes = actions.generate_recovery_codes(user=user, by=user) if request.method == "POST" else []
    context = {
        "section": "two-factor",
        "codes": codes,
        "all_codes": "\n".join(codes),
        "factors": factors,
        "next": request.session.get(NEXT, ""),
    }
    if codes:
        request.session.pop(NEXT, None)
    return render(request, "factors/recovery_codes.html", context)


def _after_adding(request: HttpRequest, user: User, message: str) -> HttpResponse:
    end_other_sessions(user, request)
    messages.success(request, message)
    if queries.codes_left(user) == 0:
        return redirect("recovery-codes")
    return redirect(request.session.pop(NEXT, "") or "two-factor-settings")


def _factor_or_404(user: User, number: int) -> Authenticator:
    factor = queries.factor_of(user, number)
    if factor is None:
        raise Http404
    return factor
