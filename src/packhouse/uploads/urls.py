"""Where uploads arrive."""

from django.urls import path

from packhouse.uploads import views

app_name = "uploads"
urlpatterns = [
    path("legacy/", views.legacy, name="legacy"),
    path("legacy", views.without_slash, name="without-slash"),
]
