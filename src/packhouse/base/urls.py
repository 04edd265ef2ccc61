"""Routes of the shell itself."""

from django.urls import path

from packhouse.base import errors, views

urlpatterns = [
    path("static/<slug:digest>/<path:name>", views.asset, name="asset"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("theme.css", views.theme_css, name="theme-css"),
    path("locale/", views.locale, name="locale"),
    path("preferences/", views.preferences, name="preferences"),
    path("_force-status/<int:status>/", errors.shown),
    path("_personal/", views.personal, name="personal"),
]
