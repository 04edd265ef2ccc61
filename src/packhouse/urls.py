"""The control plane's routes: each room brings its own."""

from django.urls import URLPattern, URLResolver, include, path

from packhouse.pages.api import api

handler400 = "packhouse.base.errors.bad_request"
handler403 = "packhouse.base.errors.permission_denied"
handler404 = "packhouse.base.errors.not_found"
handler500 = "packhouse.base.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("packhouse.base.urls")),
    path("", include("packhouse.accounts.urls")),
    path("", include("packhouse.pages.urls")),
    path("", include("packhouse.pages.health")),
    path("", include("packhouse.accounts.factors.urls")),
    path("", include("packhouse.tokens.urls")),
    path("", include("packhouse.publishers.urls")),
    path("api/v1/", api.urls),
    path("", include("packhouse.index.urls")),
    path("", include("packhouse.uploads.urls")),
    path("", include("packhouse.mail.urls")),
    path("", include("packhouse.integrations.urls")),
    path("", include("packhouse.console.urls")),
    path("", include("packhouse.search.urls")),
]
