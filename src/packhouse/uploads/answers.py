"""What the client of an upload gets to read.

The status line's reason phrase is the reason's fixed explanation, which twine prints: text of users never goes there.
The text itself goes into the body, as JSON (uv reads ``code``), as a small page (whoever accepts anything, as twine
does) or as plain text.
"""

from collections.abc import Mapping
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from packhouse.uploads.reasons import REASONS, Rejected

HTML, JSON, TEXT = "text/html", "application/json", "text/plain"
RETRY_AFTER = "30"


def accepted(headers: Mapping[str, str]) -> HttpResponse:
    """An upload that is published, now or before."""
    return HttpResponse(status=200, content_type=TEXT, headers=headers)


def refused(request: HttpRequest, refusal: Rejected) -> HttpResponse:
    """The text for the uploader and the stable name of the reason, in the form that the client likes best."""
    status, message, reason = refusal.status, _with_help(refusal), refusal.code
    code = f"{status} {message}"
    title = HTTPStatus(status).phrase
    kind = request.get_preferred_type([HTML, JSON, TEXT]) or TEXT
    response: HttpResponse
    if kind == JSON:
        response = JsonResponse({"message": message, "code": code, "title": title, "reason": reason}, status=status)
    elif kind == HTML:
        context = {"code": code, "title": title, "message": message, "reason": reason}
        response = render(request, "uploads/refusal.html", context, status=status)
    else:
        response = HttpResponse(f"{code}\n", status=status, content_type="text/plain; charset=utf-8")
    if status in {503, 507}:
        response["Retry-After"] = RETRY_AFTER
    for name, value in refusal.headers.items():
        response[name] = value
    response.reason_phrase = REASONS[reason].explanation
    response["X-Packhouse-Reason"] = reason
    response["Vary"] = "Accept"
    response["Cache-Control"] = "no-store"
    return response


def _with_help(refusal: Rejected) -> str:
    """The message, and where more is said."""
    if not refusal.topic:
        return refusal.message
    return f"{refusal.message} See {settings.PACKHOUSE.public_url}/help/#{refusal.topic} for more information."
