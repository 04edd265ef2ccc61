"""How long pages that are the same for everybody are kept, by whom, and what makes a cache in front forget them.

A page names what it shows in ``Surrogate-Key``; whoever changes one of these purges by that key.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, set_response_etag
from django.views.decorators.http import require_safe

from packhouse.base.visibility import public

View = TypeVar("View", bound=Callable[..., HttpResponse])

DAY: Final = 86_400
STALE_IF_ERROR: Final = 5 * DAY
ALL_PROJECTS: Final = "all-projects"
CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET",
    "Access-Control-Allow-Headers": "Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since",
    "Access-Control-Max-Age": "86400",
    "Access-Control-Expose-Headers": "X-PyPI-Last-Serial",
}


def cached(*, shared: int = DAY, max_age: int = 0) -> Callable[[View], View]:
    """Marks a view as public: browsers keep its pages for *max_age* seconds, a cache that is purged for *shared*.

    Pages get an ETag, and a reader who has the page already gets a 304.
    """
    control = f"max-age={shared}, stale-while-revalidate=600, stale-if-error={STALE_IF_ERROR}"

    def decorate(view: View) -> View:
        @require_safe
        @public(max_age=max_age)
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            response = view(request, *args, **kwargs)
            if settings.PACKHOUSE.purge != "none://" and response.status_code in {200, 301}:
                response.headers.setdefault("Surrogate-Control", control)
            return _validated(request, response)

        return answered  # type: ignore[return-value]

    return decorate


def keyed(response: HttpResponse, *keys: str) -> HttpResponse:
    """*response*, to be forgotten when what one of *keys* stands for has changed."""
    response["Surrogate-Key"] = " ".join(keys)
    return response


def _validated(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """*response* with an ETag, or a 304 in its place."""
    if response.status_code != 200 or response.streaming:
        return response
    set_response_etag(response)
    answer = get_conditional_response(request, etag=response["ETag"], response=response) or response
    for name in ("Surrogate-Key", "Surrogate-Control"):
        if name in response:
            answer[name] = response[name]
    return answer
