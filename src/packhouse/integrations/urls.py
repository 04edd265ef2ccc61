"""Where reporters push to."""

from django.urls import path

from packhouse.integrations import views

urlpatterns = [path("_/vulnerabilities/osv/report", views.report_vulnerabilities, name="report-vulnerabilities")]
