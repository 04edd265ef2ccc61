"""RSS 2.0 feeds: newest releases, newest projects, the releases of a project."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, getaddresses
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.db.models import Exists, OuterRef, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, re_path

from packhouse.base.cors import CORS
from packhouse.pages.caching import ALL_PROJECTS, cached, keyed
from packhouse.pages.project.facts import text
from packhouse.pages.project.place import LATEST
from packhouse.projects.models import Project, Release
from packhouse.projects.queries import find_project

UPDATES: Final = 100
PACKAGES: Final = 40
OF_PROJECT: Final = 40
ATOM: Final = "http://www.w3.org/2005/Atom"
ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to write."""

ET.register_namespace("atom", ATOM)


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of a feed; ``path`` is below the index's own address."""

    title: str
    path: str
    description: str
    author: str
    published: datetime


@cached()
def updates(request: HttpRequest) -> HttpResponse:
    """``/rss/updates.xml``: the newest releases."""
    found = Release.objects.filter(quarantined=False).exclude(project__status=Project.Status.QUARANTINED)
    newest = found.select_related("project").order_by("-created")[:UPDATES]
    items = [_release_item(release, f"{release.project.name} {release.version}") for release in newest]
    return _feed(request, f"{_site()} recent updates", f"Recent updates to {_site()}", "/", items, ALL_PROJECTS)


@cached()
def packages(request: HttpRequest) -> HttpResponse:
    """``/rss/packages.xml``: the newest projects that have something to install."""
    visible = Release.objects.filter(project=OuterRef("pk"), quarantined=False)
    latest = visible.order_by(*LATEST)
    found = Project.objects.exclude(status=Project.Status.QUARANTINED).filter(Exists(visible)).order_by("-created")
    said = found.annotate(summary=Subquery(latest.values("summary")[:1]), said=Subquery(latest.values("metadata")[:1]))
    rows = said.values("name", "normalized_name", "created", "summary", "said")[:PACKAGES]
    items = [
        Item(
            f"{row['name']} added to {_site()}",
            f"/project/{row['normalized_name']}/",
            row["summary"] or "",
            _author(row["said"]),
            row["created"],
        )
        for row in rows
    ]
    return _feed(request, f"{_site()} newest packages", f"Newest packages on {_site()}", "/", items, ALL_PROJECTS)


@cached()
def releases(request: HttpRequest, name: str) -> HttpResponse:
    """``/rss/project/{name}/releases.xml``: the newest releases of a project, whose name may be spelled in any way."""
    project = find_project(name)
    if project is None or project.status == Project.Status.QUARANTINED:
        raise Http404
    newest = project.releases.filter(quarantined=False).order_by("-created")[:OF_PROJECT]
    for release in newest:
        release.project = project
    items = [_release_item(release, release.version) for release in newest]
    title, where = f"{_site()} recent updates for {project.name}", f"/project/{project.normalized_name}/"
    about = f"Recent updates to the project {project.name}"
    return _feed(request, title, about, where, items, f"project/{project.normalized_name}")


def _site() -> str:
    return str(settings.PACKHOUSE.site_name)


def _release_item(release: Release, title: str) -> Item:
    where = f"/project/{release.project.normalized_name}/{quote(release.version, safe='!+')}/"
    return Item(title, where, release.summary, _author(release.metadata), release.created)


def _author(said: dict[str, Any] | None) -> str:
    """The author's addresses, joined by commas; empty unless all of them are some."""
    addresses = [address for _, address in getaddresses([text(said or {}, "author_email")])]
    return ", ".join(addresses) if addresses and all("@" in address for address in addresses) else ""


def _feed(request: HttpRequest, title: str, about: str, where: str, items: Iterable[Item], key: str) -> HttpResponse:
    base = str(settings.PACKHOUSE.public_url).rstrip("/")
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    _write(channel, title=title, link=base + where, description=about, language="en")
    own = {"href": base + request.path, "rel": "self", "type": "application/rss+xml"}
    ET.SubElement(channel, f"{{{ATOM}}}link", own)
    for item in items:
        link = base + item.path
        element = ET.SubElement(channel, "item")
        _write(element, title=item.title, link=link, guid=link, description=item.description, author=item.author)
        _write(element, pubDate=format_datetime(item.published, usegmt=item.published.utcoffset() is not None))
    content = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="utf-8")
    return keyed(HttpResponse(content, content_type="text/xml; charset=UTF-8", headers=dict(CORS)), key)


def _write(parent: ET.Element, **texts: str) -> None:
    """One element for each text that is not empty."""
    for name, value in texts.items():
        if value:
            ET.SubElement(parent, name).text = ILLEGAL.sub("", value)


urlpatterns = [
    path("rss/updates.xml", updates, name="rss-updates"),
    path("rss/packages.xml", packages, name="rss-packages"),
    re_path(r"^rss/project/(?P<name>[^/]{1,200})/releases\.xml$", releases, name="rss-project"),
]
