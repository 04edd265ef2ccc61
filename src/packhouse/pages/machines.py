"""What crawlers, browsers and researchers ask of a site by convention: robots.txt, sitemaps, security.txt."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from django.conf import settings
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, re_path

from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.organizations.models import Organization
from packhouse.pages.caching import ALL_PROJECTS, DAY, cached, keyed
from packhouse.projects.models import Project

IN_BUCKET: Final = 16_000
"""Projects of a sitemap, users, organizations: together fewer than the 50,000 addresses that sitemaps.org allows."""
SETTLED: Final = timedelta(days=14)
YOUNG: Final = timedelta(days=30)
"""How long search engines are asked to leave somebody or something out: spam is found within days."""
NAMESPACE: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
CLOSED: Final = ("/simple/", "/packages/", "/pypi/*/json", "/search", "/_", "/integrity/", "/account/", "/admin/")
ALSO_CLOSED: Final = ("/manage/", "/legacy/", "/project/*/inspect/")


def base() -> str:
    return str(settings.PACKHOUSE.public_url).rstrip("/")


def is_young(since: datetime) -> bool:
    """Whether what is here since then is too new to be found by search engines."""
    return clock.now() - since < YOUNG


@cached(max_age=DAY)
def robots(request: HttpRequest) -> HttpResponse:
    """Everything is closed on an address that only this machine can reach."""
    host = urlsplit(base()).hostname or ""
    is_local = host == "localhost" or host.startswith("127.") or host == "::1"
    closed = ("/",) if is_local else (*CLOSED, *ALSO_CLOSED)
    lines = [f"Sitemap: {base()}/sitemap.xml", "", "User-agent: *", *(f"Disallow: {place}" for place in closed)]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@cached(max_age=DAY)
def security_txt(request: HttpRequest) -> HttpResponse:
    """RFC 9116; it expires in a year, counted in whole days so that its ETag lasts."""
    expires = (clock.now() + timedelta(days=365)).strftime("%Y-%m-%dT00:00:00.000Z")
    lines = [
        f"Contact: mailto:{settings.PACKHOUSE.mail_from}",
        f"Expires: {expires}",
        "Preferred-Languages: en",
        f"Canonical: {base()}/.well-known/security.txt",
        f"Policy: {base()}/security/",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@cached(max_age=DAY)
def opensearch(request: HttpRequest) -> HttpResponse:
    """OpenSearch 1.1: lets browsers offer this index among their search engines."""
    name, short = (escape(text) for text in (settings.PACKHOUSE.site_name, settings.PACKHOUSE.site_name[:16]))
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"  <ShortName>{short}</ShortName>\n  <Description>{name}: Python packages</Description>\n"
        f'  <Url type="text/html" method="get" template="{base()}/search/?q={{searchTerms}}"/>\n'
        f'  <Image height="16" width="16" type="image/svg+xml">{base()}/favicon.ico</Image>\n'
        "  <InputEncoding>UTF-8</InputEncoding>\n</OpenSearchDescription>\n"
    )
    return HttpResponse(content, content_type="application/opensearchdescription+xml")


@cached(max_age=3600)
def sitemap_index(request: HttpRequest) -> HttpResponse:
    """One sitemap for each ``IN_BUCKET`` numbers that projects, users and organizations have been given."""
    highest = _highest()
    buckets = range(highest // IN_BUCKET + 1)
    entries = "".join(f"<sitemap><loc>{base()}/{bucket:02x}.sitemap.xml</loc></sitemap>\n" for bucket in buckets)
    return _xml(f'<sitemapindex xmlns="{NAMESPACE}">\n{entries}</sitemapindex>\n')


@cached(max_age=3600)
def sitemap(request: HttpRequest, bucket: str) -> HttpResponse:
    """The projects, users and organizations of a bucket that have been there for a while."""
    start = int(bucket, 16) * IN_BUCKET
    if start > _highest():
        raise Http404
    entries = "".join(f"<url><loc>{base()}{place}</loc></url>\n" for place in _places(start))
    return _xml(f'<urlset xmlns="{NAMESPACE}">\n{entries}</urlset>\n')


def _places(start: int) -> Iterator[str]:
    since, ids = clock.now() - SETTLED, {"pk__gte": start, "pk__lt": start + IN_BUCKET}
    projects = Project.objects.filter(created__lt=since, **ids).exclude(status=Project.Status.QUARANTINED)
    for name in projects.order_by("pk").values_list("name", flat=True):
        yield f"/project/{quote(name)}/"
    users = User.objects.filter(date_joined__lt=since, is_active=True, **ids)
    for name in users.order_by("pk").values_list("username", flat=True):
        yield f"/user/{quote(name)}/"
    organizations = Organization.objects.filter(created__lt=since, is_active=True, **ids)
    for name in organizations.order_by("pk").values_list("name", flat=True):
        yield f"/org/{quote(name)}/"


def _highest() -> int:
    """The highest number of whatever stands in sitemaps."""
    models = (Project, User, Organization)
    return max(QuerySet(model).aggregate(highest=Max("pk"))["highest"] or 0 for model in models)


def _xml(body: str) -> HttpResponse:
    response = HttpResponse(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', content_type="text/xml; charset=UTF-8")
    return keyed(response, ALL_PROJECTS)


urlpatterns = [
    path("robots.txt", robots),
    path(".well-known/security.txt", security_txt),
    path("opensearch.xml", opensearch, name="opensearch"),
    path("sitemap.xml", sitemap_index),
    re_path(r"^(?P<bucket>[0-9a-f]{2,6})\.sitemap\.xml$", sitemap),
]
