"""Signing in: the second factor after the password, and a passkey instead of both."""

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from fido2.webauthn import AttestedCredentialData

from packhouse.accounts.factors import actions, queries, trust, webauthn
from packhouse.accounts.factors.forms import CodeForm
from packhouse.accounts.factors.models import Key
from packhouse.accounts.factors.stages import SecondFactor, entered
from packhouse.accounts.models import User
from packhouse.base.redirects import safe_next

LOGIN = "sign-in"


@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Asks for a second factor: a key, a code of the app, or a recovery code."""
    stage = entered(request)
    if stage is None:
        return redirect(LOGIN)
    user: User = stage.login.user
    form = CodeForm(request.POST or None)
    answer = request.POST.get("answer", "")
    if answer:
        form = CodeForm(initial={"remember": "remember" in request.POST})
    if answer or form.is_valid():
        try:
            return _let_in(request, stage, form, answer)
        except actions.FactorRefused:
            form = CodeForm(request.POST)
            form.errors.pop("code", None)
            form.add_error(None if answer else "code", _("This is not right, or was used before. Try again."))
    return render(request, "factors/second_factor.html", _context(user, form))


def _let_in(request: HttpRequest, stage: SecondFactor, form: CodeForm, answer: str) -> HttpResponse:
    user: User = stage.login.user
    if answer:
        key = actions.use_key(user, webauthn.taken_challenge(request.session, user), answer)
        method, label = "webauthn", key.factor.data["name"]
    else:
        method, label = str(actions.use_code(user, form.cleaned_data["code"])), ""
        actions.remind_of_recovery_codes(user)
    response = stage.passed(method, label)
    if "remember" in request.POST and method != "recovery-code":
        trust.remember(response, user, method)
    return response


def _context(user: User, form: CodeForm) -> dict[str, object]:
    methods = queries.methods_of(user)
    return {"form": form, "has_keys": "webauthn" in methods, "has_codes": bool(methods & {"totp", "recovery_codes"})}


@require_POST
def second_factor_options(request: HttpRequest) -> HttpResponse:
    """What the script asks the browser for: an answer of one of the user's keys."""
    stage = entered(request)
    if stage is None:
        return JsonResponse({"error": _("Signing in took too long. Begin again.")}, status=403)
    user: User = stage.login.user
    known = [AttestedCredentialData(bytes(key.credential)) for key in queries.keys_of(user)]
    return JsonResponse(webauthn.ask_to_sign(request.session, user, known))


@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the script asks the browser for: an answer of any passkey of this site."""
    return JsonResponse(webauthn.ask_to_sign(request.session, None, []))


@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """Signs in with a passkey alone, which has verified its user."""
    state = webauthn.taken_challenge(request.session, None)
    try:
        key = _used_passkey(state, request.POST.get("answer", ""))
    except actions.FactorRefused:
        return render(request, "factors/passkey_refused.html", status=403)
    factor = {"factor": "passkey", "factor_label": key.factor.data["name"]}
    login = Login(user=key.factor.user, state=factor, redirect_url=safe_next(request, "/manage/projects/"))
    response: HttpResponse = perform_login(request, login)
    return response


def _used_passkey(state: object, answer: str) -> Key:
    key = actions.key_of_answer(answer)
    user: User = key.factor.user
    if not (key.is_passkey and user.can_act):
        raise actions.FactorRefused("invalid_webauthn")
    return actions.use_key(user, state, answer)
