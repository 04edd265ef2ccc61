"""Where pictures from elsewhere are found."""

from django.urls import path

from packhouse.images import views

urlpatterns = [path("_images/<slug:signature>/<slug:named>", views.image, name="image")]
