"""The settings of one's own account."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from packhouse.accounts import actions, queries
from packhouse.accounts.access import for_users
from packhouse.accounts.forms import ChangePassword, Profile
from packhouse.accounts.models import User
from packhouse.accounts.views.registration import METHODS, show


def user_of(request: HttpRequest) -> User:
    """The user of a request that a gate has let pass."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@require_http_methods(METHODS)
@for_users(two_factor=False)
def profile(request: HttpRequest) -> HttpResponse:
    """Name and public address."""
    user = user_of(request)
    form = Profile(user, request.POST or None)
    if form.is_valid():
        try:
            actions.change_profile(user, **form.cleaned_data, by=user)
        except ValidationError as error:
            show(form, error)
        else:
            messages.success(request, _("Your profile is saved."))
            return redirect("account")
    return render(request, "accounts/profile.html", {"form": form, "section": "profile", "account": user})


@require_http_methods(METHODS)
@for_users(two_factor=False, recent=False)
def password(request: HttpRequest) -> HttpResponse:
    """Changes the password; the present one is asked for here, so no further proof is."""
    user = user_of(request)
    form = ChangePassword(request.POST or None)
    if form.is_valid():
        current = form.cleaned_data["current_password"]
        if actions.prove_password(user.username, current, failure="reauthenticate:failure") is None:
            form.add_error("current_password", _("This is not your password."))
        elif _change(form, user, request):
            messages.success(request, _("Your password is changed. All other sessions are ended."))
            return redirect("password")
    return render(request, "accounts/password.html", {"form": form, "section": "password"})


def _change(form: ChangePassword, user: User, request: HttpRequest) -> bool:
    try:
        actions.change_password(user, form.cleaned_data["password"], request=request, by=user)
    except ValidationError as error:
        show(form, error)
        return False
    actions.note_proof(request)
    return True


@require_safe
@for_users(verified=False, two_factor=False, recent=False)
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the user is signed in."""
    if actions.NOTED_AT not in request.session:
        actions.note_session_use(request)
    found = queries.sessions_of(user_of(request), current=request.session.session_key)
    return render(request, "accounts/sessions.html", {"sessions": found, "section": "sessions"})


@require_POST
@for_users(verified=False, two_factor=False, recent=False)
def revoke_session(request: HttpRequest, number: int) -> HttpResponse:
    """Ends one session."""
    if not actions.revoke_session(user_of(request), number):
        raise Http404
    messages.success(request, _("The session is ended."))
    return redirect("sessions")


@require_POST
@for_users(verified=False, two_factor=False, recent=False)
def revoke_others(request: HttpRequest) -> HttpResponse:
    """Ends all sessions but this one."""
    actions.revoke_other_sessions(user_of(request), request)
    messages.success(request, _("All other sessions are ended."))
    return redirect("sessions")
