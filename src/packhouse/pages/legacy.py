"""Old addresses that programs and links on the web still use: each is redirected once, to where it is now."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import trove_classifiers
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
)
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from packhouse.base.errors import Gone
from packhouse.base.visibility import public
from packhouse.index.views import pypi as xmlrpc
from packhouse.pages.caching import cached, keyed
from packhouse.pages.project.place import project_url
from packhouse.projects.queries import find_project, find_release
from packhouse.specs.names import normalize
from packhouse.uploads.views import unless_upload

UNSAFE: Final = frozenset("\r\n\\")


@csrf_exempt
def pypi(request: HttpRequest) -> HttpResponseBase:
    """``/pypi``: XML-RPC for those who speak it, redirects of ``?:action=…`` for browsers."""
    if request.META.get("CONTENT_TYPE", "").lower().startswith("text/xml"):
        return xmlrpc(request)
    if request.method not in {"GET", "HEAD"}:
        raise Http404
    return _answered(request)


@public(max_age=0)
def _answered(request: HttpRequest) -> HttpResponse:
    action = request.GET.get(":action", "")
    if not action and request.path.endswith("/"):
        return HttpResponsePermanentRedirect("/")
    if action not in ACTIONS:
        raise Http404
    if any(UNSAFE & set(value) for values in request.GET.lists() for value in values[1]):
        return HttpResponseBadRequest("A carriage return, line feed or backslash cannot be in an address.\n")
    return ACTIONS[action](request)


def _updates(request: HttpRequest) -> HttpResponse:
    return HttpResponsePermanentRedirect("/rss/updates.xml")


def _packages(request: HttpRequest) -> HttpResponse:
    return HttpResponsePermanentRedirect("/rss/packages.xml")


def _search(request: HttpRequest) -> HttpResponse:
    return HttpResponsePermanentRedirect(f"/search/?q={quote(request.GET.get('term', ''), safe='')}")


def _browse(request: HttpRequest) -> HttpResponse:
    """By a classifier's number, which is its place in the sorted list."""
    number, known = request.GET.get("c", ""), trove_classifiers.sorted_classifiers
    if not (number.isascii() and number.isdecimal() and 0 < int(number[:9]) <= len(known)):
        raise Http404
    return HttpResponsePermanentRedirect(f"/search/?c={quote(known[int(number) - 1], safe='')}")


def _display(request: HttpRequest) -> HttpResponse:
    if not (name := request.GET.get("name", "")):
        raise Http404
    return _to_project(name, request.GET.get("version", ""))


def _files(request: HttpRequest) -> HttpResponse:
    name, version = request.GET.get("name", ""), request.GET.get("version", "")
    if not (name and version):
        raise Http404
    return _to_project(name, version, "#files")


def _classifiers(request: HttpRequest) -> HttpResponse:
    text = "\n".join(trove_classifiers.sorted_classifiers)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def _doap(request: HttpRequest) -> HttpResponse:
    raise Gone


ACTIONS: Final[dict[str, Callable[[HttpRequest], HttpResponse]]] = {
    "rss": _updates,
    "packages_rss": _packages,
    "search": _search,
    "browse": _browse,
    "display": _display,
    "files": _files,
    "list_classifiers": _classifiers,
    "doap": _doap,
}


@public(max_age=0)
def project(request: HttpRequest, name: str, version: str = "") -> HttpResponse:
    """``/pypi/{name}/{version}/`` and ``/p/{name}/{version}/``."""
    if UNSAFE & {*name, *version}:
        return HttpResponseBadRequest("A carriage return, line feed or backslash cannot be in an address.\n")
    return _to_project(name, version)


@cached()
def second_factor(request: HttpRequest) -> HttpResponse:
    """``/2fa/``, as web pages call it."""
    return HttpResponsePermanentRedirect("/help/#two-factor")


def _to_project(name: str, version: str, fragment: str = "") -> HttpResponse:
    """To the project's page, spelled as it is spelled there when there is one."""
    found = find_project(name)
    release = find_release(found, version) if found and version else None
    url = project_url(found.name if found else name, release.version if release else version)
    return keyed(HttpResponsePermanentRedirect(url + fragment), f"project/{normalize(name)}")


urlpatterns = [
    re_path(r"^2fa/?$", second_factor),
    re_path(r"^pypi/?$", unless_upload(pypi)),
    re_path(r"^(?:p|pypi)/(?P<name>[^/]{1,200})/?$", project),
    re_path(r"^(?:p|pypi)/(?P<name>[^/]{1,200})/(?P<version>[^/]{1,200})/?$", project),
]
