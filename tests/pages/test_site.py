"""What the public site answers beside project pages: home, people, feeds, lists, and what machines ask for."""

import gzip
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest
from django.conf import settings
from django.test import Client
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.pages import rss, shelves

import packhouse
from packhouse.base import clock
from packhouse.pages import counts
from packhouse.projects.models import Project

pytestmark = pytest.mark.django_db
FEEDS = ("/rss/updates.xml", "/rss/packages.xml", "/rss/project/odd/releases.xml")
HOSTILE = (
    "]]>",
    "<script>alert(1)</script>",
    "\x01\x08\x0b",
    "\ufffe\uffff",
    "=cmd|' /C calc'!A0",
    "&#0;&bogus;",
    "\U0001f4e6 שלום",
)


@pytest.fixture(autouse=True)
def _count_anew():
    counts.COUNTS.forget()
    counts.SIZES.forget()


def get(path, **headers):
    return Client().get(path, headers=headers)


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/classifiers/", "/stats/", "/help/", "/security/", "/trademarks/", "/sitemap/", "/user/packer/"),
        *("/robots.txt", "/.well-known/security.txt", "/opensearch.xml", "/sitemap.xml", "/00.sitemap.xml"),
        *("/rss/updates.xml", "/rss/packages.xml"),
    ],
)
def test_a_public_page_carries_no_cookie_and_is_validated(path):
    make_user("packer")
    first = get(path)
    assert first.status_code == 200
    assert first["Cache-Control"].startswith("public")
    assert not first.cookies
    assert get(path, if_none_match=first["ETag"]).status_code == 304


def test_the_home_page_shows_what_is_new(django_assert_max_num_queries):
    shelves.publish(make_project("newcomer"), "0.1")
    shelves.publish(make_project("secluded"), "0.1")
    Project.objects.filter(name="secluded").update(status="quarantined")
    with django_assert_max_num_queries(12):
        text = get("/").content.decode()
    assert "/project/newcomer/0.1/" in text
    assert "secluded" not in text


def test_a_person_is_shown_with_their_projects(django_assert_max_num_queries):
    owner = make_user("Packer", name="Ada")
    for number in range(60):
        project = make_project(f"crate-{number:02}", owner=owner)
        shelves.publish(project, "1.0") if number < 3 else None
    with django_assert_max_num_queries(6):
        text = get("/user/Packer/").content.decode()
    assert "Ada" in text
    assert "/project/crate-00/" in text
    assert "/project/crate-55/" not in text
    assert "users.example" not in text


def test_the_public_address_of_a_person_is_shown_to_whoever_is_signed_in_and_to_nobody_else():
    packer, reader, other = make_user("packer", public_email="packer@users.example"), make_user("reader"), Client()
    address = re.search(r'data-part="([^"]*)"', get("/user/packer/").content.decode())[1]
    stranger = other.get(address)
    assert (stranger.status_code, stranger.content.strip(), stranger["Cache-Control"]) == (
        200,
        b"",
        "private, no-store",
    )
    other.force_login(reader)
    assert '<a href="mailto:packer@users.example">' in other.get(address).content.decode()
    assert b"mailto" not in other.get("/_personal/user/reader/").content
    assert other.get("/_personal/user/nobody/").status_code == 404
    assert packer.public_email not in get("/user/packer/").content.decode()


def test_search_engines_find_a_person_after_a_month(time_machine):
    make_user("packer")
    assert "noindex" in get("/user/packer/").content.decode()
    time_machine.move_to(clock.now() + timedelta(days=31))
    assert "noindex" not in get("/user/packer/").content.decode()


def test_the_terms_are_found_where_the_operator_has_them(settings):
    assert get("/policy/terms-of-use/").status_code == 404
    settings.PACKHOUSE = replace(settings.PACKHOUSE, terms_url="https://www.example.org/terms")
    answer = get("/policy/terms-of-use/")
    assert (answer.status_code, answer["Location"]) == (302, "https://www.example.org/terms")
    assert 'href="https://www.example.org/terms"' in get("/").content.decode()
    assert get("/policy/anything-else/").status_code == 404


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("/user/PACKER", "/user/Packer/"),
        ("/u/Packer/", "/user/Packer/"),
        ("/u/packer", "/user/Packer/"),
        ("/p/Crates", "/project/crates/"),
        ("/p/CRATES/1.0.0", "/project/crates/1.0/"),
        ("/pypi/crates/1.0.0/", "/project/crates/1.0/"),
        ("/project/CRATES", "/project/crates/"),
        ("/project/Crates/v1.0.0/files", "/project/crates/1.0/files/"),
        ("/pypi?:action=display&name=Crates&version=1.0.0", "/project/crates/1.0/"),
        ("/pypi?:action=files&name=Crates&version=1.0.0", "/project/crates/1.0/#files"),
        ("/pypi/", "/"),
        ("/about/", "/help/#about"),
        ("/2fa/", "/help/#two-factor"),
        ("/pypi?:action=rss", "/rss/updates.xml"),
        ("/pypi?:action=packages_rss", "/rss/packages.xml"),
        ("/pypi?:action=search&term=a%26b", "/search/?q=a%26b"),
        ("/pypi?:action=browse&c=1", "/search/?c=Development%20Status%20%3A%3A%201%20-%20Planning"),
    ],
)
def test_an_old_address_leads_on_in_one_hop(asked, right):
    make_user("Packer")
    shelves.publish(make_project("crates"), "1.0")
    answer = get(asked)
    assert (answer.status_code, answer["Location"]) == (301, right)
    assert get(right).status_code == 200


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("/pypi?:action=doap&name=x", 410),
        ("/pypi?:action=display", 404),
        ("/pypi?:action=files&name=x", 404),
        ("/pypi?:action=browse&c=abc", 404),
        ("/pypi?:action=browse&c=999999", 404),
        ("/pypi?:action=unheard", 404),
        ("/pypi", 404),
        ("/pypi?:action=display&name=x%0d%0aSet-Cookie:y", 400),
        ("/pypi/a%5cb/", 400),
        ("/user/nobody/", 404),
    ],
)
def test_an_old_address_that_means_nothing_is_refused(asked, status):
    assert get(asked).status_code == status


def test_classifiers_are_listed_as_text():
    answer = get("/pypi?:action=list_classifiers")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "Framework :: Django" in answer.content.decode().splitlines()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/html,application/json", "text/html"),
        ("application/json", "application/json"),
        ("*/*", "text/html"),
        ("image/png", None),
    ],
)
def test_statistics_come_as_a_page_or_as_json(accept, kind):
    project = make_project("heavy")
    shelves.publish(project, "1.0", size=5_000)
    answer = get("/stats/", accept=accept)
    assert answer.status_code == (200 if kind else 404)
    assert "Accept" in answer["Vary"]
    if kind == "application/json":
        assert answer.json() == {"top_packages": {"heavy": {"size": 5000}}, "total_packages_size": 5000}
    elif kind:
        assert answer["Content-Type"].startswith(kind)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_well_formed_whatever_is_in_it(feed, text):
    said = {"summary": f"a{text}b", "metadata": {"author_email": f"{text} <ada@crates.example>"}}
    shelves.publish(make_project("odd"), "1.0", release=said)
    answer = get(feed)
    assert answer["Content-Type"] == "text/xml; charset=UTF-8"
    assert answer["Access-Control-Allow-Origin"] == "*"
    root = ET.fromstring(answer.content)
    parsed = feedparser.parse(answer.content)
    assert not parsed.bozo
    assert rss.faults(answer.content, settings.PACKHOUSE.public_url + feed) == []
    assert len(root.findall("channel/item")) == len(parsed.entries) == 1
    item = root.find("channel/item")
    assert item.findtext("link").endswith(("/project/odd/1.0/", "/project/odd/"))
    assert item.findtext("pubDate").endswith("GMT")
    assert item.findtext("description").startswith("a")
    assert "\x01" not in item.findtext("description")


@pytest.mark.parametrize("feed", FEEDS)
def test_a_feed_is_valid_whether_empty_or_full_and_is_kept_until_something_changes(feed, django_assert_max_num_queries):
    make_project("odd")
    project = make_project("Very.Odd_Name")
    assert rss.faults(get(feed).content, settings.PACKHOUSE.public_url + feed) == []
    for number in range(45):
        shelves.publish(project, f"1.{number}")
    shelves.publish(Project.objects.get(name="odd"), "1!2.0+local.1")
    with django_assert_max_num_queries(3):
        answer = get(feed)
    assert rss.faults(answer.content, settings.PACKHOUSE.public_url + feed) == []
    assert len(ET.fromstring(answer.content).findall("channel/item")) == {FEEDS[0]: 46, FEEDS[1]: 2}.get(feed, 1)
    assert answer["Surrogate-Key"] == ("project/odd" if "odd" in feed else "all-projects")
    assert get(feed, if_none_match=answer["ETag"]).status_code == 304
    shelves.publish(Project.objects.get(name="odd"), "9.0")
    if feed != FEEDS[1]:
        assert get(feed, if_none_match=answer["ETag"]).status_code == 200


def test_the_feed_of_a_project_knows_every_spelling_and_no_stranger():
    shelves.publish(make_project("My.Crates"), "1.0")
    assert get("/rss/project/my_crates/releases.xml").status_code == 200
    assert get("/rss/project/strangers/releases.xml").status_code == 404


def test_sitemaps_list_what_has_settled():
    long_ago = clock.now() - timedelta(days=20)
    make_project("settled", created=long_ago)
    make_project("fresh")
    make_user("veteran", date_joined=long_ago)
    index = ET.fromstring(get("/sitemap.xml").content)
    (bucket,) = [element.text for element in index.iter() if element.tag.endswith("loc")]
    places = [
        element.text
        for element in ET.fromstring(get("/" + bucket.rpartition("/")[2]).content).iter()
        if element.tag.endswith("loc")
    ]
    assert [place.partition("/project/")[2] or place.partition("/user/")[2] for place in places] == [
        "settled/",
        "veteran/",
    ]
    assert get("/7f.sitemap.xml").status_code == 404


@pytest.mark.parametrize(("url", "closed"), [("https://index.example", "/simple/"), ("http://127.0.0.1:8080", "/")])
def test_robots_may_crawl_what_the_world_can_reach(settings, url, closed):
    from dataclasses import replace

    settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url=url)
    lines = get("/robots.txt").content.decode().splitlines()
    assert f"Disallow: {closed}" in lines
    assert (lines.count("Disallow: /") == 1) == (closed == "/")


def test_xml_rpc_still_answers_at_pypi():
    call = b"<?xml version='1.0'?><methodCall><methodName>list_packages</methodName><params></params></methodCall>"
    answer = Client().post("/pypi", call, content_type="text/xml")
    assert answer.status_code == 200
    assert b"methodResponse" in b"".join(answer.streaming_content)


def test_public_pages_are_compressed_and_private_ones_are_not(client):
    plain, small = client.get("/help/"), client.get("/help/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(small.content) == plain.content
    assert len(small.content) * 3 < len(plain.content)
    assert "Accept-Encoding" in plain["Vary"]
    assert client.get("/help/", headers={"Accept-Encoding": "gzip", "If-None-Match": small["ETag"]}).status_code == 304
    login = client.get("/account/login/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in login


def test_the_help_page_answers_what_every_link_to_it_asks():
    sources = [
        path.read_text() for kind in ("*.py", "*.html", "*.txt") for path in Path(packhouse.__file__).parent.rglob(kind)
    ]
    linked = {found for text in sources for found in re.findall("/help/#([a-z-]+)", text)}
    topics = re.findall('<section [^>]*id="([a-z-]+)"', get("/help/").content.decode())
    assert len(topics) == len(set(topics)) >= 43
    assert linked <= set(topics)
    assert {"private", "vulnerabilities", "admin-intervention", "invalid-authentication", "addresses"} <= set(topics)
