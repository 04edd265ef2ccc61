"""The tabs of a project's page."""

from collections.abc import Callable
from functools import lru_cache, wraps
from time import time
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from packhouse.attestations.queries import release_provenance
from packhouse.attestations.status import ReleaseProvenance
from packhouse.downloads.queries import Fetched, recent
from packhouse.images.marking import with_pictures
from packhouse.integrations.queries import has_feed, known_of, still_valid, valid_number
from packhouse.pages.caching import cached, keyed
from packhouse.pages.machines import is_young
from packhouse.pages.organization_profile import organization_url
from packhouse.pages.project import changes as compare
from packhouse.pages.project import dependencies as needs
from packhouse.pages.project import files as listed
from packhouse.pages.project import install
from packhouse.pages.project.chart import bars
from packhouse.pages.project.facts import about
from packhouse.pages.project.licences import licence_files
from packhouse.pages.project.place import Place, find, moved, project_url
from packhouse.projects.models import Description, Project, Release
from packhouse.projects.queries import find_release, roles_of

RELEASES_PER_PAGE: Final = 50
FETCHED_FOR: Final = 600
MAINTAINERS_SHOWN: Final = 30
VULNERABILITIES_SHOWN: Final = 200
Tab = Callable[[HttpRequest, Place], dict[str, Any]]


def tab(name: str = "") -> Callable[[Tab], Callable[..., HttpResponse]]:
    """Makes a page of a tab: the place is found, its spelling put right, and what all tabs show is added."""

    def decorate(content: Tab) -> Callable[..., HttpResponse]:
        @cached()
        @wraps(content)
        def page(request: HttpRequest, name: str, version: str | None = None) -> HttpResponse:
            place = find(name, version)
            key = f"project/{place.project.normalized_name}"
            if redirect := moved(request, place, here):
                return keyed(redirect, key)
            context = _common(place, here) | content(request, place)
            return keyed(render(request, f"pages/project/{here or 'description'}.html", context), key)

        return page

    here = name
    return decorate


@tab()
def description(request: HttpRequest, place: Place) -> dict[str, Any]:
    """The long description, as it was rendered at upload, and the facts beside it."""
    found = Description.objects.filter(release=place.release).only("html", "raw").first()
    return _aside(place) | {"description": found, "html": with_pictures(found.html) if found else ""}


@tab("files")
def files(request: HttpRequest, place: Place) -> dict[str, Any]:
    """The files of the release, by what they run on."""
    chosen = listed.Chosen.from_query(request.GET)
    page, rows, options, total = listed.listing(place, chosen, request.GET.get("page", ""))
    return {"page": page, "rows": rows, "options": options, "chosen": chosen, "total": total}


@tab("releases")
def releases(request: HttpRequest, place: Place) -> dict[str, Any]:
    """All releases, newest version first."""
    found = place.project.releases.order_by("-sort_key").only(
        "version", "created", "is_prerelease", "yanked", "yanked_reason", "quarantined", "project_id", "vulnerabilities"
    )
    page = Paginator(found, RELEASES_PER_PAGE).get_page(request.GET.get("page", ""))
    return {"page": page, "rows": _release_rows(place.project, page)}


@tab("dependencies")
def dependencies(request: HttpRequest, place: Place) -> dict[str, Any]:
    """What it needs, by extra."""
    page, found = needs.listing(place.release, request.GET.get("page", ""))
    return {"page": page, "dependencies": found}


@tab("security")
def security(request: HttpRequest, place: Place) -> dict[str, Any]:
    """What is known of weaknesses, of how the files came about and of what is in them."""
    with_sboms = [] if place.is_hidden else place.release.files.exclude(sboms=[]).order_by("sort_key")[:100]
    known = known_of(place.release)
    valid, withdrawn = ([one for one in known if bool(one.withdrawn) == gone] for gone in (False, True))
    return {
        "with_sboms": with_sboms,
        "provenance": _provenance(place),
        "has_feed": bool(known) or has_feed(),
        "known": valid[:VULNERABILITIES_SHOWN],
        "withdrawn": withdrawn[:VULNERABILITIES_SHOWN],
        "more_known": max(len(valid), len(withdrawn)) > VULNERABILITIES_SHOWN,
    }


@tab("changes")
def changes(request: HttpRequest, place: Place) -> dict[str, Any]:
    """How the release differs from another one; from the one before it unless the reader chooses."""
    since = request.GET.get("since", "")[:100]
    before = find_release(place.project, since) if since else _previous(place.release)
    if since and before is None:
        raise Http404(_("%(name)s has no release %(version)s.") % {"name": place.project.name, "version": since[:60]})
    others = place.project.releases.exclude(pk=place.release.pk).order_by("-sort_key")
    context: dict[str, Any] = {"before": before, "others": others.values_list("version", flat=True)[:500]}
    if before is None or place.is_hidden:
        return context
    found, more = compare.file_changes(before, place.release)
    return context | {
        "differences": compare.metadata_changes(before, place.release),
        "files": found,
        "more_files": more,
    }


def _common(place: Place, here: str) -> dict[str, Any]:
    """What the top of every tab shows."""
    project, release = place.project, place.release
    counts = Release.objects.filter(project=project).aggregate(all=Count("pk"))
    return {
        "public_url": str(settings.PACKHOUSE.public_url).rstrip("/"),
        "is_young": is_young(project.created),
        "place": place,
        "project": project,
        "release": release,
        "tab": here,
        "status": _status(place),
        "affecting": 0 if place.is_hidden else valid_number(release),
        "install": () if place.is_hidden else install.commands(place, str(settings.PACKHOUSE.public_url)),
        "releases_count": counts["all"],
        "files_count": 0 if place.is_hidden else release.files.count(),
        "newest_url": project_url(project.name, place.latest) if place.latest else "",
        "stable": _stands(place),
    }


def _aside(place: Place) -> dict[str, Any]:
    """What the column of facts shows."""
    roles = list(roles_of(place.project)[: MAINTAINERS_SHOWN + 1])
    project, release = place.project, place.release if place.pinned else None
    fetched = _fetched(project.uid, project.pk, release and release.pk, int(time() // FETCHED_FOR))
    chart = bars(fetched.days, _("Downloads for each day")) if fetched.total else ""
    owner = project.organization if project.organization and project.organization.is_active else None
    return {
        "fetched": fetched,
        "chart": chart,
        "owner": owner,
        "owner_url": organization_url(owner) if owner else "",
        "about": about(place.release),
        "licence_files": licence_files(place),
        "provenance": _provenance(place),
        "roles": roles[:MAINTAINERS_SHOWN],
        "more_roles": roles[MAINTAINERS_SHOWN:],
    }


def _provenance(place: Place) -> ReleaseProvenance | None:
    """Where the files of the release come from; None where none can be seen."""
    files = 0 if place.is_hidden else place.release.files.count()
    return release_provenance(place.release, files) if files else None


@lru_cache(maxsize=256)
def _fetched(_uid: UUID, project_id: int, release_id: int | None, _period: int) -> Fetched:
    """Recent downloads, asked for once in a while: the numbers are those of whole days.

    What is remembered belongs to the project that had the id then, whoever has it now.
    """
    return recent(project_id, release_id)


def _status(place: Place) -> str:
    """The one banner to show, the gravest: its name, or nothing."""
    project, release = place.project, place.release
    if project.status == Project.Status.QUARANTINED:
        return "project-quarantined"
    if release.quarantined:
        return "release-quarantined"
    if release.yanked:
        return "yanked"
    if project.status == Project.Status.ARCHIVED:
        return "archived"
    return "prerelease" if release.is_prerelease else ""


def _stands(place: Place) -> str:
    """How the release stands to the newest: ``latest``, ``newer``, or ``stable`` where a final release exists."""
    if place.is_latest or not place.latest:
        return "latest"
    return "stable" if place.release.is_prerelease else "newer"


def _previous(release: Release) -> Release | None:
    """The release that comes before in the order of versions, of the same kind where there is one."""
    older = Release.objects.filter(project=release.project, sort_key__lt=release.sort_key, quarantined=False)
    kind = Q() if release.is_prerelease else Q(is_prerelease=False)
    return older.filter(kind).order_by("-sort_key").first() or older.order_by("-sort_key").first()


def _release_rows(project: Project, page: "Page[Release]") -> list[dict[str, Any]]:
    """The releases of a page with their number of files and the address of each."""
    shown = list(page)
    counted = Release.objects.filter(pk__in=[release.pk for release in shown]).annotate(number=Count("files"))
    numbers, vulnerable = dict(counted.values_list("pk", "number")), still_valid(shown)
    return [
        {
            "release": release,
            "files": numbers.get(release.pk, 0),
            "url": project_url(project.name, release.version),
            "vulnerable": release.pk in vulnerable,
        }
        for release in shown
    ]
