"""The pictures' own addresses."""

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from packhouse.base.visibility import public
from packhouse.images.addresses import url_of
from packhouse.images.queries import TooBusy, picture

POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
"""For who opens a picture by itself: an SVG is a document, and may do nothing but be seen."""
TEXT: Final = "text/plain; charset=utf-8"


@require_safe
@public(max_age=3600, shared=86_400)
def image(request: HttpRequest, signature: str, named: str, may_fetch: Callable[[], bool]) -> HttpResponse:
    """A picture of a description.  404 for what this index has not signed and for what is no picture.

    503 while too many pictures are being fetched, or this reader *may* not have another one *fetched*.
    """
    url = url_of(signature, named) if settings.PACKHOUSE.image_proxy else None
    try:
        found = picture(url, may_fetch) if url else None
    except TooBusy:
        return HttpResponse("Try again in a moment.\n", status=503, content_type=TEXT, headers={"Retry-After": "3"})
    if found is None:
        return HttpResponse("There is no picture here.\n", status=404, content_type=TEXT)
    response = HttpResponse(found.data, content_type=found.kind)
    response["Content-Security-Policy"] = POLICY
    return response
