"""Routes of the shell itself."""

from django.urls import path

from packhouse.base import views

urlpatterns = [
    path("static/<slug:digest>/<path:name>", views.asset, name="asset"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("theme.css", views.theme_css, name="theme-css"),
    path("preferences/", views.preferences, name="preferences"),
    path("_personal/", views.personal, name="personal"),
]
