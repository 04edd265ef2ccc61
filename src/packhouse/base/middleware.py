"""What every answer of the control plane goes through, from the outside inwards.

``Headers`` closes what browsers leave open and keeps private pages out of caches; ``Compressed`` makes public ones
small; ``CurrentRequest`` lets actions know where a request comes from; ``Locale`` chooses the language; ``Personal``
tells public pages whether to ask who reads.
"""

from collections.abc import Callable
from typing import Final

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers

from packhouse.base import logs
from packhouse.base.clients import client_of
from packhouse.base.csp import policy
from packhouse.base.identity import RequestFacts, current_request
from packhouse.base.visibility import LANGUAGE, PRIVATE, is_public

Next = Callable[[HttpRequest], HttpResponse]

USER_AGENT_LENGTH: Final = 512
PERMISSIONS: Final = ", ".join(
    [
        *(f"{name}=()" for name in ("accelerometer", "browsing-topics", "camera", "display-capture", "geolocation")),
        *(f"{name}=()" for name in ("gyroscope", "magnetometer", "microphone", "midi", "payment", "usb")),
        *(f"{name}=(self)" for name in ("publickey-credentials-create", "publickey-credentials-get")),
    ]
)
HEADERS: Final = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
}
HSTS: Final = "max-age=31536000; includeSubDomains"


class Headers:
    """Security headers on every answer, whatever made it.  A view's own header wins over the usual one."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.usual = HEADERS | (
            {"Strict-Transport-Security": HSTS} if settings.PACKHOUSE.public_url.startswith("https:") else {}
        )

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.usual.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", policy(getattr(response, "csp", None)))
        response.headers.setdefault("Cache-Control", PRIVATE)
        if is_public(request):
            response.cookies.clear()
        return response


class Compressed(GZipMiddleware):
    """Sends text that is the same for everybody compressed: pages are a quarter of their size then.

    Private pages are not: what somebody else may have put into them next to a secret tells by its length (BREACH).
    """

    max_random_bytes = 0
    KINDS: Final = ("text/", "application/json", "application/xml", "application/rss+xml", "image/svg+xml")

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_public = response.headers.get("Cache-Control", "").startswith("public")
        if not (is_public and response.headers.get("Content-Type", "").startswith(self.KINDS)):
            return response
        return super().process_response(request, response)


class CurrentRequest:
    """Says where the request comes from, to whoever writes the audit trail or a log line while it is answered."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response
        self.trusted, self.written = settings.PACKHOUSE.trusted_proxies, settings.PACKHOUSE.proxy_header

    def __call__(self, request: HttpRequest) -> HttpResponse:
        facts = self._facts(request)
        token, id_token = current_request.set(facts), logs.request_id.set(facts.request_id)
        structlog.contextvars.clear_contextvars()
        try:
            return self.get_response(request)
        finally:
            current_request.reset(token)
            logs.request_id.reset(id_token)

    def _facts(self, request: HttpRequest) -> RequestFacts:
        peer = request.META.get("REMOTE_ADDR", "")
        client = client_of(peer, request.headers.get, self.trusted, written=self.written)
        return RequestFacts(
            address=client.address,
            user_agent=request.headers.get("User-Agent", "")[:USER_AGENT_LENGTH],
            request_id=request.META.get("packhouse.request_id", "") or logs.new_request_id(),
        )


class Locale(LocaleMiddleware):
    """The language: what the cache in front has chosen, else the visitor's cookie, else what the browser asks for.

    A public page whose language was chosen by the cookie is not for shared caches: they do not know of the cookie, and
    would show it to those who have none.
    """

    def process_request(self, request: HttpRequest) -> None:
        said = request.headers.get(LANGUAGE, "")
        if said not in dict(settings.LANGUAGES):
            request.chose_language = settings.LANGUAGE_COOKIE_NAME in request.COOKIES  # type: ignore[attr-defined]
            super().process_request(request)
            return
        translation.activate(said)
        request.LANGUAGE_CODE = said

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if getattr(request, "chose_language", False) and "Surrogate-Control" in response:
            del response["Surrogate-Control"]
            response["Cache-Control"] = response["Cache-Control"].replace("public", "private")
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response  # the same in every language
        if not is_public(request):
            patch_vary_headers(response, ["Cookie"])
        return super().process_response(request, response)


class Personal:
    """Keeps the cookie ``personal``: its presence tells the script on public pages that there is something to fetch.

    It says nothing about whom, and grants nothing.  It is brought up to date on private pages only.
    """

    COOKIE: Final = "personal"

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = getattr(request, "session", None)
        if is_public(request) or session is None or not session.accessed:
            return response
        wanted = hasattr(request, "user") and request.user.is_authenticated
        if wanted and self.COOKIE not in request.COOKIES:
            response.set_cookie(self.COOKIE, "1", secure=settings.SESSION_COOKIE_SECURE, samesite="Lax")
        elif not wanted and self.COOKIE in request.COOKIES:
            response.delete_cookie(self.COOKIE, samesite="Lax")
        return response
