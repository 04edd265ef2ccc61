"""Where people and programs search."""

from django.urls import path

from packhouse.search import views

urlpatterns = [path("search/", views.results, name="search")]
