"""Where pictures from elsewhere are found, as many of them as one reader may have fetched."""

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import path

from packhouse.images import views
from packhouse.throttle.actions import hit
from packhouse.throttle.limit import Limit

FETCHES: Final = Limit("images.client", "600 per minute")
"""Pictures that are here already count nothing."""


def image(request: HttpRequest, signature: str, named: str) -> HttpResponse:
    """A picture of a description, fetched if it must be."""
    address = request.META.get("REMOTE_ADDR", "")
    return views.image(request, signature, named, lambda: hit(FETCHES, address).allowed)


urlpatterns = [path("_images/<slug:signature>/<slug:named>", image, name="image")]
