"""The control plane's routes: each room brings its own."""

from django.urls import URLPattern, URLResolver, include, path

from packhouse.index.views import pypi
from packhouse.uploads.views import unless_upload

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("packhouse.pages.health")),
    path("pypi", unless_upload(pypi)),
    path("", include("packhouse.index.urls")),
    path("", include("packhouse.uploads.urls")),
]
