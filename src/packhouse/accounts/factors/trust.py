"""Browsers that are remembered for 30 days, on which signing in asks for no second factor.

A signed cookie; it is void as soon as the user's password or factors change, or all sessions are ended.
"""

from datetime import timedelta
from typing import Final

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from packhouse.accounts.actions.users import subject
from packhouse.accounts.models import User
from packhouse.accounts.queries import SECOND_FACTORS
from packhouse.audit import actions as audit

COOKIE: Final = "remember_device"
LASTS: Final = timedelta(days=30)
_SALT: Final = "packhouse.factors.trust.1"


def remember(response: HttpResponse, user: User, method: str) -> None:
    """Let *response* tell the browser to ask *user* for no second factor for 30 days."""
    value = signing.dumps([str(user.uid), _fingerprint(user)], salt=_SALT)
    response.set_cookie(
        COOKIE,
        value,
        max_age=LASTS,
        path="/account/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    with transaction.atomic():
        audit.record(
            "two_factor:device_remembered", subject=subject(user), by=user, additional={"two_factor_method": method}
        )


def is_remembered(request: HttpRequest, user: User) -> bool:
    """Whether the browser of *request* is remembered for *user*."""
    try:
        uid, fingerprint = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LASTS)
    except (signing.BadSignature, ValueError, TypeError):
        return False
    return uid == str(user.uid) and constant_time_compare(fingerprint, _fingerprint(user))


def _fingerprint(user: User) -> str:
    """What must not have changed."""
    factors = Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).order_by("pk").values_list("pk")
    parts = [user.get_session_auth_hash(), *(str(pk) for (pk,) in factors)]
    return salted_hmac(_SALT, "|".join(parts), algorithm="sha256").hexdigest()
