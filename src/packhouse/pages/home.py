"""The front page."""

from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from packhouse.pages.caching import ALL_PROJECTS, cached, keyed
from packhouse.pages.counts import COUNTS
from packhouse.pages.project.place import project_url
from packhouse.projects.models import Project, Release

SHOWN: Final = 8


@cached(shared=3600)
def home(request: HttpRequest) -> HttpResponse:
    """A search field, the two commands that everybody comes for, what is new, and how much there is."""
    context = {
        "public_url": str(settings.PACKHOUSE.public_url).rstrip("/"),
        "counts": COUNTS.get(),
        "releases": _newest_releases(),
        "projects": _newest_projects(),
    }
    return keyed(render(request, "pages/home.html", context), ALL_PROJECTS)


def _newest_releases() -> list[dict[str, object]]:
    found = Release.objects.filter(quarantined=False).exclude(project__status=Project.Status.QUARANTINED)
    fields = ("project__name", "version", "summary", "created")
    rows = found.order_by("-created").values_list(*fields)[:SHOWN]
    return [
        {"name": name, "version": version, "summary": summary, "at": at, "url": project_url(name, version)}
        for name, version, summary, at in rows
    ]


def _newest_projects() -> list[dict[str, object]]:
    visible = Release.objects.filter(project=OuterRef("pk"), quarantined=False)
    found = Project.objects.exclude(status=Project.Status.QUARANTINED).filter(Exists(visible))
    rows = found.order_by("-created").values_list("name", "created")[:SHOWN]
    return [{"name": name, "at": at, "url": project_url(name)} for name, at in rows]
