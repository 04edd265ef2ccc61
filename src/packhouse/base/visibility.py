"""What caches may keep: a page is private unless its view says that it is the same for everybody."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponseBase, HttpResponseForbidden

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

PRIVATE: Final = "private, no-store"


def public(*, max_age: int, shared: int | None = None) -> Callable[[View], View]:
    """Marks a view whose pages are the same for everybody who reads the same language.

    Browsers keep a page for *max_age* seconds, caches in front for *shared* (if it differs).  Such a page neither
    reads the session nor sets a cookie; what it shows of the visitor is fetched by script from ``/_personal/``.
    Answers that are not successful are not kept.
    """
    kept = f"public, max-age={max_age}" + (f", s-maxage={shared}" if shared is not None else "")

    def decorate(view: View) -> View:
        @wraps(view)
        def public_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            request.is_public = True  # type: ignore[attr-defined]
            response = view(request, *args, **kwargs)
            if response.status_code in {200, 301, 304} and not response.has_header("Cache-Control"):
                response["Cache-Control"] = kept
            return response

        return public_view  # type: ignore[return-value]

    return decorate


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
