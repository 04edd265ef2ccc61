"""Where XML-RPC calls arrive."""

from django.urls import path

from packhouse.index import views

app_name = "index"
urlpatterns = [path(route, views.pypi) for route in ("RPC2", "RPC2/")]
