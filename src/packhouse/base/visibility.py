"""What caches may keep: a page is private unless its view says that it is the same for everybody.

Browsers go by ``Cache-Control``; a cache in front that is told of changes goes by ``Surrogate-Control``, and forgets a
page when one of its ``Surrogate-Key``s is purged.  A page in words depends on the language and on nothing else: that is
what the browser asks for or, where the cache in front has chosen, what it says in ``Packhouse-Language``.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseForbidden
from django.utils.cache import get_conditional_response, patch_vary_headers, set_response_etag

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

PRIVATE: Final = "private, no-store"
LANGUAGE: Final = "Packhouse-Language"
ALL_HTML: Final = "all-html"
SITE: Final = "site"
"""The key of what shows nothing that changes while the index runs."""
STALE_IF_ERROR: Final = 5 * 86_400


def public(*, max_age: int, shared: int = 0) -> Callable[[View], View]:
    """Marks a view whose pages are the same for everybody who reads the same language.

    Browsers keep a page for *max_age* seconds; a cache that is told of changes for *shared*, or until it is told.  Such
    a page neither reads the session nor sets a cookie; what it shows of the visitor is fetched by script from
    ``/_personal/``.  It has an ETag, and a reader who has the page already gets a 304.  Answers that are not successful
    are not kept.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def public_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.is_public = True  # type: ignore[attr-defined]
            response = view(request, *args, **kwargs)
            if response.status_code in {200, 301, 304} and not response.has_header("Cache-Control"):
                response["Cache-Control"] = f"public, max-age={max_age}"
            if response.status_code in {200, 301}:
                _describe(response, shared)
            return _validated(request, response)

        return public_view  # type: ignore[return-value]

    return decorate


def _describe(response: HttpResponseBase, shared: int) -> None:
    """What a cache in front must know: for how long, until when, and for whom."""
    keys = response.headers.get("Surrogate-Key", "")
    if response.headers.get("Content-Type", "").startswith("text/html") and response.status_code == 200:
        patch_vary_headers(response, ["Accept-Language", LANGUAGE])
        keys = f"{keys} {ALL_HTML}"
    response["Surrogate-Key"] = keys.strip() or SITE
    if shared and settings.PACKHOUSE.purge != "none://":
        control = f"max-age={shared}, stale-while-revalidate=600, stale-if-error={STALE_IF_ERROR}"
        response.headers.setdefault("Surrogate-Control", control)


def _validated(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """*response* with an ETag, or a 304 in its place."""
    if response.status_code != 200 or not isinstance(response, HttpResponse):
        return response
    set_response_etag(response)
    answer = get_conditional_response(request, etag=response["ETag"], response=response) or response
    for name in ("Surrogate-Key", "Surrogate-Control"):
        if name in response:
            answer[name] = response[name]
    return answer


def is_public(request: HttpRequest | None) -> bool:
    """Whether the page being made is the same for everybody, so that nothing of the visitor may be looked at."""
    return request is None or getattr(request, "is_public", False)


def same_site_only(view: View) -> View:
    """For harmless forms on public pages, which cannot carry a CSRF token: other sites cannot submit them.

    Goes by what browsers say of a request's origin (Fetch Metadata, Origin); a client that says neither is no browser.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _comes_from_here(request):
            return HttpResponseForbidden("This form was sent by another site.", content_type="text/plain")
        return view(request, *args, **kwargs)

    checked.csrf_exempt = True  # type: ignore[attr-defined]
    return checked  # type: ignore[return-value]


def _comes_from_here(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    return site in {None, "same-origin", "none"} and origin in {None, f"{request.scheme}://{request.get_host()}"}
