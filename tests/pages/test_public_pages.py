"""Every public page is the same for everybody, says so, and shows nobody's cookie, session or form token."""

import re

import pytest
from django.conf import settings
from django.test import Client
from tests.builders import make_wheel
from tests.factories.accounts import make_user, signed_in
from tests.factories.organizations import make_organization
from tests.factories.projects import make_project
from tests.house.test_routes import readable, routes
from tests.pages import shelves

from packhouse.base.visibility import is_public
from packhouse.purge.vcl import written

pytestmark = pytest.mark.django_db
VALUES = {
    "name": "demo",
    "version": "1.0",
    "username": "packer",
    "filename": "demo-1.0-py3-none-any.whl",
    "path": "demo/__init__.py",
    "bucket": "00",
    "kind": "html",
}
AT_LEAST = {
    *(
        "/",
        "/search/",
        "/project/<name>/",
        "/project/<name>/<version>/",
        "/user/<username>/",
        "/org/<name>/",
        "/rss/updates.xml",
    ),
    *("/rss/packages.xml", "/rss/project/<name>/releases.xml", "/stats/", "/classifiers/", "/help/", "/security/"),
    *("/sitemap.xml", "/<bucket>.sitemap.xml", "/robots.txt", "/opensearch.xml", "/p/<name>/", "/pypi/"),
    *("/project/<name>/<version>/inspect/<filename>/<path>", "/.well-known/security.txt"),
}
PASSED = re.compile(re.search(r'req\.url ~ "(\^/\(\?:account.*?)"\)', written(("127.0.0.1", 1), ["127.0.0.1"]))[1])
"""What the cache in front passes on with its cookies, as its configuration says."""


def path_of(route):
    """A concrete path for *route*; what is not in ``VALUES`` does not exist."""

    def fill(match):
        kind, _, name = match[1].rpartition(":")
        return VALUES.get(name) or {"int": "404", "uuid": "00000000-0000-4000-8000-000000000404"}.get(kind, "absent")

    return re.sub(r"<([^>]+)>", fill, route)


def paths():
    return {route: path_of(route) for route in dict.fromkeys(routes())} | {
        "static": settings.ASSETS.url + "packhouse/mark.svg",
        "filtered": "/project/demo/files/?file=whl",
        "query": "/search/?q=demo",
        "action": "/pypi?:action=display&name=demo",
    }


@pytest.fixture
def world():
    """A stranger and the owner of all there is, who has a message waiting and prefers the dark."""
    packer = make_user("packer", name="Ada", is_superuser=True)
    make_organization("demo", owner=packer)
    wheel = make_wheel("demo", "1.0", files={"demo/__init__.py": b"x = 1\n"})
    shelves.publish(make_project("demo", owner=packer), "1.0", *wheel, readme="# Demo")
    owner = signed_in(packer)
    owner.cookies.load({"theme": "dark", "personal": "1"})
    return Client(), owner


def test_public_pages_are_the_same_bytes_for_everybody(world):
    anonymous, owner = world
    seen = set()
    for route, path in paths().items():
        answer = anonymous.get(path)
        if answer.status_code not in {200, 301} or not is_public(answer.wsgi_request):
            continue
        seen.add(readable(route))
        also = owner.get(path)
        assert (also.status_code, also.content, also.headers.get("Vary")) == (
            answer.status_code,
            answer.content,
            answer.headers.get("Vary"),
        ), path
        for response in (answer, also):
            assert not response.cookies, path
            assert "cookie" not in response.headers.get("Vary", "").lower(), path
            assert b"csrfmiddlewaretoken" not in response.content, path
            assert not response.wsgi_request.session.accessed, path
            assert response["Cache-Control"].startswith("public"), path
            assert response["Surrogate-Key"], path
            assert response.status_code == 301 or response["ETag"], path
    assert seen >= AT_LEAST


def test_what_a_cache_in_front_strips_of_cookies_is_public_or_nothing(world):
    """A route whose answer depends on who asks must be one that the cache passes on with its cookies."""
    anonymous, owner = world
    for route, path in paths().items():
        if PASSED.search(path):
            continue
        answer, also = anonymous.get(path), owner.get(path)
        assert is_public(answer.wsgi_request) or answer.status_code in {404, 405}, route
        assert (also.status_code, also.headers.get("Location")) == (answer.status_code, answer.headers.get("Location"))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "gopher"},
        {"Forwarded": "host=evil.example;proto=gopher;for=192.0.2.1"},
        {"X-Original-URL": "/manage/projects/"},
        {"X-Rewrite-URL": "/manage/projects/"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-Method-Override": "POST"},
        {"Accept-Language": "<script>"},
        {"Packhouse-Language": "<script>"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.usefixtures("world")
def test_what_a_request_claims_changes_no_public_page(headers):
    asked = ("/", "/project/demo/", "/rss/updates.xml", "/user/packer/", "/p/demo/")
    usual = {path: Client().get(path) for path in asked}
    for path, answer in usual.items():
        claimed = Client().get(path, headers=headers)
        assert (claimed.status_code, claimed.content) == (answer.status_code, answer.content), path
        assert claimed.headers.get("Location") == answer.headers.get("Location")
        assert b"evil.example" not in claimed.content
