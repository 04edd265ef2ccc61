"""The control plane's routes: each room brings its own."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("packhouse.pages.health")),
    path("", include("packhouse.index.urls")),
    path("", include("packhouse.uploads.urls")),
]
