"""Answers that are not what was asked for, in the shell or, for programs, as JSON or plain text.

Views raise ``Gone``, ``TooManyRequests`` or ``Unavailable`` (besides Django's ``Http404``, ``PermissionDenied`` and
``SuspiciousOperation``); the middleware ``Errors`` renders them.  No page here reads the database.
"""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from packhouse.base.cors import CORS
from packhouse.base.outages import is_full, is_outage
from packhouse.base.visibility import PRIVATE

log = logging.getLogger(__name__)

HTML: Final = "text/html"
JSON: Final = "application/json"
TEXT: Final = "text/plain"
LAST_RESORT: Final = "<!doctype html><title>500</title><h1>500</h1><p>This page could not be made. Try again later."

PAGES: Final[dict[int, tuple[str | Promise, str | Promise]]] = {
    400: (_("This request cannot be understood"), _("Go back, reload the page and try again.")),
    403: (_("You may not do this"), _("Your account does not have the permission that this page needs.")),
    404: (_("There is nothing here"), _("The address may be misspelt, or what was here has been renamed or deleted.")),
    405: (_("This address cannot be used in this way"), _("Go back and follow a link or a button of the page.")),
    410: (_("This is gone"), _("It was here once and has been removed for good.")),
    413: (_("That is too much at once"), _("Send less and try again.")),
    429: (_("Too many requests"), _("You, or somebody at the same address, asked too often. Wait a little.")),
    500: (_("Something went wrong here"), _("The fault is ours and has been recorded. Try again in a few minutes.")),
    507: (_("There is no room left"), _("This could not be stored. Reading still works. Try again later.")),
    503: (_("Packhouse is not available for the moment"), _("Installing packages may still work.")),
}


class Answer(Exception):
    """Ends a view with an error page; *message* says more than the page's usual text."""

    status = 500

    def __init__(self, message: str | Promise = "", *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class Gone(Answer):
    """410: it was here and will not come back."""

    status = 410


class TooManyRequests(Answer):
    """429: a rate limit; ``retry_after`` in seconds."""

    status = 429


class Unavailable(Answer):
    """503: something essential does not answer; ``retry_after`` in seconds."""

    status = 503


class Errors:
    """Middleware: renders ``Answer``, and a database that does not answer as 503.

    Refuses NUL in an address, which nothing here has in its name and PostgreSQL cannot be asked for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path:
            return error_page(request, 404)
        if "%00" in request.META.get("QUERY_STRING", ""):
            return error_page(request, 400, _("The address has the character NUL (%00) in it."))
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Answer):
            return error_page(request, exception.status, exception.message, retry_after=exception.retry_after)
        return outage_page(request, exception)


def outage_page(request: HttpRequest, error: BaseException | None) -> HttpResponse | None:
    """503 where *error* says that the database or a disk does not answer, 507 where it has no room; else None."""
    if error is None or not is_outage(error):
        return None
    log.error("disk-unavailable" if isinstance(error, OSError) else "database-unavailable", exc_info=error)
    return error_page(request, 507 if is_full(error) else 503, retry_after=10)


def error_page(
    request: HttpRequest, status: int, message: str | Promise = "", *, retry_after: int | None = None
) -> HttpResponse:
    """The answer with *status*: a page for people, JSON or a line of text for programs that ask for it."""
    title, advice = PAGES.get(status, (HTTPStatus(status).phrase, ""))
    kind = request.get_preferred_type([HTML, JSON, TEXT]) or HTML
    if kind == JSON:
        response: HttpResponse = JsonResponse({"message": str(message or title), "code": status}, status=status)
    elif kind == TEXT:
        response = HttpResponse(f"{status} {message or title}\n", content_type=f"{TEXT}; charset=utf-8", status=status)
    else:
        request.is_public = True  # type: ignore[attr-defined] # whatever failed, the session need not be read
        context = {"status": status, "title": title, "advice": advice, "message": message, "retry_after": retry_after}
        response = HttpResponse(render_to_string("base/error.html", context, request), status=status)
    for name, value in ({"Cache-Control": PRIVATE} | CORS).items():
        response[name] = value
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


@require_safe
def shown(request: HttpRequest, status: int) -> HttpResponse:
    """``/_force-status/{status}/``: the answer with a status from 400 on, for whoever sets up what stands in front."""
    known = status in list(HTTPStatus) and status >= HTTPStatus.BAD_REQUEST
    return error_page(request, status if known else 404, retry_after=30 if status in {429, 503} else None)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 403, str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_page(request, 404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For ``CSRF_FAILURE_VIEW``."""
    return error_page(
        request, 403, _("This form has expired or was sent by another site. Go back, reload the page and try again.")
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500, even when the page for it cannot be made; 503 when a middleware met a database that does not answer."""
    try:
        return outage_page(request, sys.exc_info()[1]) or error_page(request, 500)
    except Exception:
        log.exception("error-page-failed")
        return HttpResponse(LAST_RESORT, status=500)
