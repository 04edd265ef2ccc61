"""Routes of what everybody may read."""

from django.urls import path

from packhouse.pages import feeds, home, legacy, lists, machines, organization_profile, pictures, profile, reading
from packhouse.pages.project import urls as project
from packhouse.uploads.views import unless_upload

urlpatterns = [
    path("", unless_upload(home.home), name="home"),
    *project.urlpatterns,
    *profile.urlpatterns,
    *organization_profile.urlpatterns,
    *feeds.urlpatterns,
    *machines.urlpatterns,
    *lists.urlpatterns,
    *reading.urlpatterns,
    *pictures.urlpatterns,
    *legacy.urlpatterns,
]
