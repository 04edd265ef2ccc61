"""How django-allauth does things here."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import Login
from django.conf import settings
from django.contrib import auth, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from packhouse.accounts import actions, bans, devices, queries
from packhouse.accounts.models import User
from packhouse.accounts.stages import STAGES
from packhouse.base.identity import current_request


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Our stages, our session, our trail; allauth's own pages, letters and limits are not used."""

    def get_login_stages(self) -> list[str]:
        return list(STAGES)

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return current_request.get().address

    def login(self, request: HttpRequest, user: User) -> None:
        """Begins the session, under a new id and with a new CSRF token.

        Every way in ends here.  Raises ``PermissionDenied`` where the address is banned.
        """
        if bans.is_banned():
            raise PermissionDenied(_("Nobody can sign in from your address."))
        login: Login | None = getattr(request, "arriving", None)
        state = login.state if login else {}
        auth.login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        actions.note_sign_in(user, factor=state.get("factor"), label=state.get("factor_label") or "")
        actions.know_device(user, devices.secret_of(request), confirmed=True)
        actions.note_proof(request)
        actions.note_session_use(request)
        if queries.has_new_terms(user):
            words = _('If you go on using your account, the new <a href="{url}">terms of service</a> hold for you.')
            messages.info(request, format_html(words, url=reverse("terms-of-service")))

    def post_login(self, request: HttpRequest, user: User, *, redirect_url: str | None, **_more: Any) -> HttpResponse:
        response = HttpResponseRedirect(redirect_url or settings.LOGIN_REDIRECT_URL)
        devices.remember(request, response)
        return response
