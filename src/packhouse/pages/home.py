"""The front page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from packhouse.base.visibility import public


@require_safe
@public(max_age=0, shared=600)
def home(request: HttpRequest) -> HttpResponse:
    """A search field, and the two commands that everybody comes for."""
    return render(request, "pages/home.html", {"public_url": settings.PACKHOUSE.public_url})
