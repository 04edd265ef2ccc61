"""What belongs to no page in particular: static files, the visitor's language and theme."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from packhouse.base.assets import KEPT, NOT_KEPT
from packhouse.base.redirects import is_own_path, safe_next
from packhouse.base.visibility import PRIVATE, public, same_site_only

THEMES = ("light", "dark")
YEAR = 365 * 86_400


@require_safe
@public(max_age=0)
def asset(request: HttpRequest, digest: str, name: str) -> HttpResponse:
    """A static file.  Under an outdated digest it is today's file, and not to be kept."""
    found = settings.ASSETS.load(name)
    if found is None:
        raise Http404(name)
    coding, content = found.encoded_for(request.headers.get("Accept-Encoding", ""))
    is_current = digest == settings.ASSETS.digest and not settings.DEBUG
    response = HttpResponse(
        content,
        content_type=found.content_type,
        headers={"Cache-Control": KEPT if is_current else NOT_KEPT, "Vary": "Accept-Encoding"},
    )
    if coding:
        response["Content-Encoding"] = coding
    return response


@require_safe
@public(max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """For browsers that ask for ``/favicon.ico`` without having been told."""
    return HttpResponseRedirect(static("packhouse/mark.svg"), headers={"Cache-Control": "public, max-age=3600"})


@require_safe
@cache_control(private=True, no_cache=True)
def theme_css(request: HttpRequest) -> HttpResponse:
    """The visitor's choice of light or dark, for browsers without script."""
    theme = request.COOKIES.get("theme")
    content = f":root {{ color-scheme: {theme}; }}\n" if theme in THEMES else ""
    response = HttpResponse(content, content_type="text/css; charset=utf-8")
    patch_vary_headers(response, ["Cookie"])
    return response


@require_POST
@same_site_only
def preferences(request: HttpRequest) -> HttpResponse:
    """Remembers ``theme`` (``light``, ``dark``, ``auto``) or ``locale``, and goes back to ``next``."""
    response = HttpResponseRedirect(safe_next(request))
    secure = settings.SESSION_COOKIE_SECURE
    if (theme := request.POST.get("theme")) in THEMES:
        response.set_cookie("theme", theme, max_age=YEAR, secure=secure, samesite="Lax")
    elif theme:
        response.delete_cookie("theme", samesite="Lax")
    return _in_language(response, request.POST.get("locale", ""))


@require_safe
@same_site_only
def locale(request: HttpRequest) -> HttpResponse:
    """``/locale/?locale_id=de``: the address that links use to change the language; goes back to where they stand."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    own = came_from.netloc == request.get_host() and is_own_path(came_from.path)
    response = HttpResponseRedirect(came_from.path if own else "/", headers={"Cache-Control": PRIVATE})
    return _in_language(response, request.GET.get("locale_id", ""))


def _in_language(response: HttpResponse, locale: str) -> HttpResponse:
    """*response*, which remembers *locale* as the visitor's language if it is one of ours."""
    if locale in dict(settings.LANGUAGES):
        name, secure = settings.LANGUAGE_COOKIE_NAME, settings.SESSION_COOKIE_SECURE
        response.set_cookie(name, locale, max_age=YEAR, secure=secure, samesite="Lax")
    return response


@require_safe
def personal(request: HttpRequest) -> HttpResponse:
    """What the script puts into public pages for whoever is signed in: account menu and flash messages."""
    return render(request, "base/personal.html")
