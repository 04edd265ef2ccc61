"""The cookie by which a browser is known again.  It opens nothing: it only spares a letter."""

import re
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from packhouse.accounts import links
from packhouse.accounts.models import Device, User

COOKIE: Final = "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"
LIFETIME: Final = 365 * 86_400
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def secret_of(request: HttpRequest) -> str:
    """The secret of the browser that asks; a new one for a browser that has none."""
    found: str | None = getattr(request, "device_secret", None)
    if found is None:
        sent = request.COOKIES.get(COOKIE, "")
        found = sent if _SECRET.fullmatch(sent) else links.new_secret()
        request.device_secret = found  # type: ignore[attr-defined]
    return found


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let the browser keep its secret."""
    response.set_cookie(
        COOKIE,
        secret_of(request),
        max_age=LIFETIME,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, user: User) -> bool:
    """Whether the user has signed in with this browser before."""
    digest = links.digest(secret_of(request))
    return Device.objects.filter(user=user, digest=digest, confirmed_at__isnull=False).exists()
