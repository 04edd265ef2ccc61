"""Making an account, and getting back into one."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from packhouse.accounts import actions, bans, captcha, limits, links, queries, tasks
from packhouse.accounts.actions.passwords import user_of_reset
from packhouse.accounts.forms import Forgotten, NewPassword, Register
from packhouse.accounts.models import Invitation, TermsEngagement, User
from packhouse.accounts.views.sign_in import HOME, begin
from packhouse.base.identity import current_request
from packhouse.flags import queries as flags

METHODS = ["GET", "POST"]


@require_http_methods(METHODS)
def register(request: HttpRequest) -> HttpResponse:
    """Makes an account and signs its user in, who is then asked to verify the address."""
    if request.user.is_authenticated:
        return redirect(HOME)
    token = request.GET.get("token", "")
    invitation = actions.find_invitation(token) if token else None
    if closed := _is_closed(is_invited=invitation is not None):
        reason = "void" if token and closed == "invitation" else closed
        return render(request, "accounts/register_closed.html", {"reason": reason}, status=403)
    if token and invitation is None and request.method == "GET":
        return render(request, "accounts/register_closed.html", {"reason": "void", "is_open": True}, status=410)
    return _register(request, token, invitation)


def _register(request: HttpRequest, token: str, invitation: Invitation | None) -> HttpResponse:
    initial = {"email": invitation.email if invitation else ""}
    form = Register(request.POST or None, initial=initial, is_invited=invitation is not None)
    if form.is_valid() and form.cleaned_data["confirm_form"]:
        return redirect("home")
    if form.is_valid() and _is_person(form):
        limits.use(limits.email_add())
        try:
            user = actions.register(**_account(form), invitation=token)
        except ValidationError as error:
            limits.give_back(limits.email_add())
            show(form, error)
        else:
            return begin(request, user, _first_page(user), factor="registration")
    response = render(request, "accounts/register.html", {"form": form, "token": token, "invitation": invitation})
    response.csp = captcha.sources()  # type: ignore[attr-defined]
    return response


def _is_person(form: Register) -> bool:
    """Whether the form tells so, where it has been asked to; only once all else is right: an answer counts once."""
    if "captcha" in form.fields:
        problem = captcha.problem(form.cleaned_data["captcha"], address=current_request.get().address)
        if problem:
            form.add_error("captcha", problem)
    return form.is_valid()


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Leads to the terms of service, and remembers that whoever is signed in has looked at them."""
    config = settings.PACKHOUSE
    if not config.terms_url:
        raise Http404
    if isinstance(request.user, User):
        actions.note_terms(request.user, config.terms_revision, TermsEngagement.Kind.VIEWED)
    return redirect(config.terms_url)


def _first_page(user: User) -> str:
    """The address that was invited is verified already."""
    return HOME if queries.has_verified_primary_email(user) else reverse("unverified-account")


def _is_closed(*, is_invited: bool) -> str:
    registration = settings.PACKHOUSE.registration
    if bans.is_banned():
        return "address"
    if registration == "closed" or flags.is_on("disallow-new-user-registration"):
        return "closed"
    return "invitation" if registration == "invitation" and not is_invited else ""


def _account(form: Form) -> dict[str, Any]:
    return {name: form.cleaned_data[name] for name in ("username", "name", "email", "password")}


def show(form: Form, error: ValidationError) -> None:
    """Put what an action objects to beside the form's fields; what no field is responsible for, above them."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, problems in error.message_dict.items():
        for problem in problems:
            form.add_error(name if name in form.fields else None, problem)


@require_http_methods(METHODS)
def forgotten(request: HttpRequest) -> HttpResponse:
    """Asks who has forgotten the password.  The answer is the same for everybody, and takes as long."""
    form = Forgotten(request.POST or None)
    if form.is_valid():
        typed = form.cleaned_data["username_or_email"]
        limits.use(limits.password_reset(typed))
        origin = current_request.get()
        tasks.request_password_reset.enqueue(typed, origin.address, origin.user_agent, origin.request_id)
        return render(request, "accounts/forgotten_sent.html", {"hours": links.hours(links.RESET)})
    return render(request, "accounts/forgotten.html", {"form": form})


@require_http_methods(METHODS)
def reset_password(request: HttpRequest) -> HttpResponse:
    """Where the link in the letter leads: asks for the new password."""
    token = request.GET.get("token", "")
    user = user_of_reset(token)
    form = NewPassword(request.POST or None)
    if user is not None and form.is_valid():
        try:
            done = actions.reset_password(token, form.cleaned_data["password"])
        except ValidationError as error:
            show(form, error)
        else:
            return _after_reset(request) if done else _void(request)
    if user is None:
        return _void(request)
    return render(request, "accounts/reset_password.html", {"form": form, "username": user.username})


def _after_reset(request: HttpRequest) -> HttpResponse:
    messages.success(request, _("Your password is changed. Sign in with the new one."))
    return redirect("sign-in")


def _void(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/link_void.html", {"again": "forgotten"}, status=400)


@require_http_methods(METHODS)
def restore_account(request: HttpRequest) -> HttpResponse:
    """Where the link in the letter about a deletion leads: takes the deletion back when the button is pressed."""
    if request.method == "GET":
        return render(request, "accounts/restore_account.html")
    if actions.restore_account(request.GET.get("token", "")) is None:
        return render(request, "accounts/link_void.html", status=400)
    messages.success(request, _("Your account is restored. Sign in as before."))
    return redirect("sign-in")
