"""``/user/{name}/``: who somebody is, as far as the index says, and what they publish."""

from typing import Any, Final
from urllib.parse import quote

from django.core.paginator import Paginator
from django.db.models import Max, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import path, re_path
from django.views.decorators.http import require_safe

from packhouse.accounts.queries import user_named
from packhouse.organizations.queries import organizations_of
from packhouse.pages.caching import cached, keyed
from packhouse.pages.machines import is_young
from packhouse.pages.project.place import LATEST, project_url
from packhouse.projects.models import Project, Release
from packhouse.projects.queries import projects_of

PER_PAGE: Final = 50


@cached()
def profile(request: HttpRequest, username: str) -> HttpResponse:
    """The public page of a user; another spelling of the name is put right in one hop."""
    user = user_named(username)
    if user is None or not user.is_active:
        raise Http404
    key = f"user/{user.username}"
    right = f"/user/{quote(user.username)}/"
    if request.path != right:
        return keyed(HttpResponsePermanentRedirect(right), key)
    page = Paginator(projects_of(user.pk).exclude(status=Project.Status.QUARANTINED), PER_PAGE).get_page(
        request.GET.get("page", "")
    )
    rows = described([project.pk for project in page])
    context = {
        "person": user,
        "organizations": organizations_of(user.pk),
        "page": page,
        "rows": rows,
        "is_young": is_young(user.date_joined),
    }
    return keyed(render(request, "pages/profile.html", context), key)


def described(project_ids: list[int]) -> list[dict[str, Any]]:
    """What the list says of each project: its latest release and when something was published last.  One query."""
    visible = Release.objects.filter(project=OuterRef("pk"), quarantined=False).order_by(*LATEST)
    found = Project.objects.filter(pk__in=project_ids).annotate(
        version=Subquery(visible.values("version")[:1]),
        summary=Subquery(visible.values("summary")[:1]),
        at=Max("releases__created"),
    )
    fields = ("pk", "name", "normalized_name", "status", "version", "summary", "at")
    rows = found.order_by("status", "normalized_name").values(*fields)
    return [row | {"url": project_url(row["name"])} for row in rows]


@require_safe
def contact(request: HttpRequest, username: str) -> HttpResponse:
    """What the script puts into a profile for whoever is signed in: the address that its owner shows to those."""
    user = user_named(username)
    if user is None or not user.is_active:
        raise Http404
    address = user.public_email if request.user.is_authenticated else ""
    return render(request, "pages/profile_contact.html", {"address": address})


@cached()
def short(request: HttpRequest, username: str) -> HttpResponse:
    """``/u/{name}/``, to the right spelling where there is such a user."""
    user = user_named(username)
    right = user.username if user else username
    return keyed(HttpResponsePermanentRedirect(f"/user/{quote(right, safe='')}/"), f"user/{quote(right, safe='')}")


urlpatterns = [
    path("_personal/user/<str:username>/", contact, name="profile-contact"),
    re_path(r"^user/(?P<username>[^/]{1,100})/?$", profile, name="profile"),
    re_path(r"^u/(?P<username>[^/]{1,100})/?$", short),
]
