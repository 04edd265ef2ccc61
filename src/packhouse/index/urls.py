"""Where XML-RPC calls arrive, and questions for provenance that is not there."""

from django.urls import path

from packhouse.index import views

app_name = "index"
urlpatterns = [
    *(path(route, views.pypi) for route in ("RPC2", "RPC2/")),
    path("integrity/<str:name>/<str:version>/<str:filename>/provenance", views.provenance),
]
