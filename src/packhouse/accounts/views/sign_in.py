"""Signing in and out."""

from typing import Final

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from packhouse.accounts import actions, devices, elsewhere
from packhouse.accounts.access import for_users
from packhouse.accounts.forms import SignIn
from packhouse.accounts.models import User
from packhouse.accounts.stages import NewDevice, pending
from packhouse.base.redirects import safe_next

HOME: Final = "/manage/projects/"
WRONG: Final = gettext_lazy("User name and password do not belong together.")
FROZEN: Final = gettext_lazy("This account is suspended. Write to the administrators of this index.")
DISABLED: Final = gettext_lazy("This password no longer works. Ask for a new one with “Forgotten your password?”.")
COMPROMISED: Final = gettext_lazy(
    "This password is known to others, so it no longer works. Ask for a new one with “Forgotten your password?”."
)


@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Asks for user name and password, then lets the stages ask for the rest."""
    next_path = safe_next(request, HOME)
    if request.user.is_authenticated:
        return redirect(next_path)
    form = SignIn(request.POST or None)
    if form.is_valid():
        username, password = form.cleaned_data["username"], form.cleaned_data["password"]
        user = actions.prove_password(username, password)
        if user is not None and (problem := _problem(user, password)) is None:
            return begin(request, user, next_path)
        form.add_error(None, WRONG if user is None else str(problem))
    context = {
        "form": form,
        "next": next_path,
        "registration": settings.PACKHOUSE.registration,
        "sso": settings.PACKHOUSE.sso_name if elsewhere.is_set_up(elsewhere.SSO) else "",
    }
    return render(request, "accounts/sign_in.html", context)


def _problem(user: User, password: str) -> str | None:
    """Why somebody with the right password may not sign in.  A stranger does not get to know."""
    if user.is_frozen:
        return str(FROZEN)
    if user.disabled_for:
        return str(COMPROMISED if user.disabled_for == User.DisabledFor.COMPROMISED else DISABLED)
    return str(COMPROMISED) if actions.refuse_compromised(user, password) else None


def begin(request: HttpRequest, user: User, next_path: str, *, factor: str | None = None) -> HttpResponse:
    """Enter the stages with a user whose password is right; the answer is a stage's page, or *next_path*."""
    login = Login(user=user, redirect_url=next_path, state={"factor": factor} if factor else {})
    answer: HttpResponse = perform_password_login(request, {"username": user.username}, login)
    return answer


@require_http_methods(["GET", "POST"])
def sign_out(request: HttpRequest) -> HttpResponse:
    """GET asks, POST ends the session."""
    if request.method == "GET":
        return render(request, "accounts/sign_out.html")
    actions.end_session(request)
    messages.success(request, _("You are signed out."))
    return HttpResponseRedirect(safe_next(request))


@require_http_methods(["GET", "POST"])
def confirm_login(request: HttpRequest) -> HttpResponse:
    """What waits for the letter, and where its link leads: nothing happens before the button is pressed there."""
    stage, token = pending(request, NewDevice.key), request.GET.get("token", "")
    if request.method == "POST" and stage is not None:
        if actions.confirm_device(stage.login.user, devices.secret_of(request), token):
            answer: HttpResponse = stage.exit()
            return answer
        return render(request, "accounts/confirm_login.html", {"state": "void"}, status=400)
    state = "elsewhere" if stage is None else "confirm" if token else "waiting"
    return render(request, "accounts/confirm_login.html", {"state": state}, status=400 if state == "elsewhere" else 200)


@require_http_methods(["GET", "POST"])
@for_users(verified=False, two_factor=None)
def prove(request: HttpRequest) -> HttpResponse:
    """Nothing but the proof, then back to where one came from."""
    return HttpResponseRedirect(safe_next(request, HOME))
