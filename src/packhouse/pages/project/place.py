"""What a project page is about: the project, the release, and how both stand to the newest."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils.translation import gettext as _

from packhouse.projects.models import File, Project, Release
from packhouse.projects.queries import find_project, find_release

SAFE: Final = "!+"
LATEST: Final = ("yanked", "is_prerelease", "-sort_key")


@dataclass(frozen=True, slots=True)
class Place:
    """``latest`` is the version that the project shows by itself (empty where every release is quarantined);
    ``pinned`` tells that the reader asked for a version."""

    project: Project
    release: Release
    latest: str
    pinned: bool

    @property
    def is_latest(self) -> bool:
        return self.release.version == self.latest

    @property
    def is_hidden(self) -> bool:
        """Whether nothing of it can be installed."""
        return self.project.status == Project.Status.QUARANTINED or self.release.quarantined

    @property
    def project_url(self) -> str:
        return project_url(self.project.name)

    @property
    def release_url(self) -> str:
        return project_url(self.project.name, self.release.version)

    @property
    def base(self) -> str:
        """Where the tabs of this page begin."""
        return self.release_url if self.pinned else self.project_url


def project_url(name: str, version: str = "") -> str:
    """The path of a project's page, or of one of its releases."""
    return f"/project/{quote(name, safe='')}/" + (f"{quote(version, safe=SAFE)}/" if version else "")


def find(name: str, version: str | None) -> Place:
    """What ``/project/{name}/{version}/`` is about, in any spelling.  Raises ``Http404``.  Three queries."""
    project = find_project(name)
    if project is None:
        raise Http404(_("There is no project “%(name)s” here.") % {"name": name[:100]})
    latest = latest_version(project)
    release = find_release(project, version) if version is not None else _shown(project, latest)
    if release is None:
        text = _("%(name)s has no release %(version)s.") if version else _("%(name)s has no releases yet.")
        raise Http404(text % {"name": project.name, "version": (version or "")[:60]})
    release.project = project
    return Place(project, release, latest, version is not None)


def latest_version(project: Project) -> str:
    """Final before pre-release, not yanked before yanked, newest first; empty when there is none to show."""
    found = project.releases.filter(quarantined=False).order_by(*LATEST).values_list("version", flat=True).first()
    return found or ""


def moved(request: HttpRequest, place: Place, rest: str = "") -> HttpResponse | None:
    """A redirect to the right spelling of name, version and slash in one hop; None when the address is right."""
    right = place.base + (f"{rest}/" if rest else "")
    if request.path == unquote(right):
        return None
    query = request.META.get("QUERY_STRING", "")
    return HttpResponsePermanentRedirect(right + (f"?{query}" if query else ""))


def listed_files(place: Place) -> "QuerySet[File]":
    """The files of the release that readers may see."""
    return File.objects.none() if place.is_hidden else place.release.files.all()


def _shown(project: Project, latest: str) -> Release | None:
    """The release that an unversioned page shows; a quarantined one, with a banner, when there is no other."""
    chosen = project.releases.filter(version=latest) if latest else project.releases.order_by("-sort_key")
    return chosen.first()
