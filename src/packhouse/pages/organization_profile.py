"""``/org/{name}/``: what an organization says of itself, and what it publishes."""

from typing import Final
from urllib.parse import quote, urlsplit

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import re_path

from packhouse.organizations.models import Organization
from packhouse.organizations.queries import find_organization
from packhouse.pages.caching import cached, keyed, organization_key
from packhouse.pages.machines import is_young
from packhouse.pages.profile import described
from packhouse.projects.models import Project
from packhouse.projects.queries import projects_in

PER_PAGE: Final = 50


@cached()
def organization(request: HttpRequest, name: str) -> HttpResponse:
    """The public page; another spelling of the name is put right in one hop."""
    found = find_organization(name)
    if found is None or not found.is_active:
        raise Http404
    key, right = organization_key(found.normalized_name), organization_url(found)
    if request.path != right:
        return keyed(HttpResponsePermanentRedirect(right), key)
    published = projects_in(found).exclude(status=Project.Status.QUARANTINED).filter(releases__isnull=False).distinct()
    page = Paginator(published, PER_PAGE).get_page(request.GET.get("page", ""))
    context = {
        "organization": found,
        "host": urlsplit(found.link_url).netloc.rpartition("@")[2],
        "page": page,
        "rows": described([project.pk for project in page]),
        "is_young": is_young(found.created),
    }
    return keyed(render(request, "pages/organization.html", context), key)


def organization_url(organization: Organization) -> str:
    return f"/org/{quote(organization.name)}/"


urlpatterns = [re_path(r"^org/(?P<name>[^/]{1,50})/?$", organization, name="organization")]
