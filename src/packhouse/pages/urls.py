"""Routes of the public site."""

from django.urls import path

from packhouse.pages import home, security_history, style
from packhouse.uploads.views import unless_upload

urlpatterns = [
    path("", unless_upload(home.home), name="home"),
    path("manage/account/history/", security_history.security_history, name="security-history"),
    path("_style/", style.style, name="style"),
    path("_style/confirm/", style.confirm, name="style-confirm"),
    path("_style/error/<int:status>/", style.error, name="style-error"),
]
