"""Where news of letters arrive."""

from django.urls import path

from packhouse.mail import views

urlpatterns = [path("_/ses-hook/", views.ses_hook, name="ses-hook")]
