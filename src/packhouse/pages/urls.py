"""Routes of the public site."""

from django.urls import path

from packhouse.pages import home, style

urlpatterns = [
    path("", home.home, name="home"),
    path("_style/", style.style, name="style"),
    path("_style/confirm/", style.confirm, name="style-confirm"),
    path("_style/error/<int:status>/", style.error, name="style-error"),
]
