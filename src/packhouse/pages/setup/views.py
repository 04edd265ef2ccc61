"""The three pages of the first run."""

from contextlib import suppress
from datetime import timedelta
from typing import Final

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from packhouse import config
from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.models import User
from packhouse.base import clock, running
from packhouse.base.errors import Gone, TooManyRequests
from packhouse.pages.setup import actions
from packhouse.pages.setup.clients import snippets
from packhouse.pages.setup.forms import AdministratorForm, SettingsForm
from packhouse.tokens.actions import create_token

TOKEN_LASTS: Final = timedelta(days=365)
PLACEHOLDER: Final = "TOKEN"


@require_http_methods(["GET", "POST"])
def administrator(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link that ``packhouse serve`` prints: makes the first administrator, once."""
    if not actions.is_open(token):
        raise _gone()
    form = AdministratorForm(request.POST or None)
    if form.is_valid():
        data = form.cleaned_data
        try:
            user = actions.make_first_administrator(
                token=token, username=data["username"], email=data["email"], password=data["password"]
            )
        except actions.AlreadySetUp:
            raise _gone() from None
        except ValidationError as error:
            for field, texts in error.message_dict.items():
                form.add_error(field if field in form.fields else None, texts)
        else:
            response: HttpResponse = perform_login(request, Login(user=user, redirect_url="/setup/"))
            return response
    return render(request, "pages/setup/administrator.html", {"form": form})


@require_http_methods(["GET", "POST"])
@for_users(two_factor=False)
def about_the_index(request: HttpRequest) -> HttpResponse:
    """Asks what the index must know of itself, and writes it to ``packhouse.toml``."""
    if not user_of(request).is_superuser:
        raise PermissionDenied
    present = {name: getattr(settings.PACKHOUSE, name) for name in config.declared() if name != "mail"}
    form = SettingsForm(request.POST or None, initial=present)
    if form.is_valid():
        changes = form.changes()
        try:
            config.save(settings.PACKHOUSE.home, changes)
        except (config.ConfigError, OSError) as error:
            form.add_error(None, str(error))
        else:
            if changes and running.ask_to_restart():
                return _restarting(request, form.cleaned_data["public_url"])
            if changes:
                messages.warning(
                    request, _("Written to packhouse.toml. Start Packhouse again, so that it takes effect.")
                )
            return redirect("setup-clients")
    return render(request, "pages/setup/settings.html", {"form": form, "home": settings.PACKHOUSE.home})


def _restarting(request: HttpRequest, site: str) -> HttpResponse:
    """Says that the settings take effect now, and where to go on; by itself where that is the place one is at."""
    here = f"{request.scheme}://{request.get_host()}"
    context = {"next": f"{site.rstrip('/')}/setup/clients/", "goes_on": site.rstrip("/") == here}
    return render(request, "pages/setup/restarting.html", context)


@require_http_methods(["GET", "POST"])
@for_users()
def clients(request: HttpRequest) -> HttpResponse:
    """What to write where, for each client.  Asked with POST it makes a token and shows it in place, this once."""
    user, token = user_of(request), PLACEHOLDER
    if request.method == "POST":
        token = _first_token(user)
    context = {
        "snippets": list(snippets(settings.PACKHOUSE.public_url, token)),
        "has_token": token != PLACEHOLDER,
    }
    return render(request, "pages/setup/clients.html", context)


def _first_token(user: User) -> str:
    """A token for everything; whoever has one of that name already gets it with the time in its name."""
    now, name = clock.now(), _("First token")
    for description in (name, f"{name} {date_format(now, 'Y-m-d H:i:s')}"):
        with suppress(ValidationError):
            return create_token(user=user, description=description, expires=now + TOKEN_LASTS, by=user)[1]
    raise TooManyRequests(_("A token was made this very second. Wait a moment and make another."), retry_after=1)


def _gone() -> Gone:
    return Gone(
        _("This link was used, or replaced by another. Whoever runs this index finds the present one in its log.")
    )
