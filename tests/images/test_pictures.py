"""Pictures of descriptions: links while the proxy is off, pictures from this index while it is on."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.factories.projects import make_project
from tests.images.origin import PNG
from tests.pages import shelves

from packhouse.base import clock
from packhouse.images import queries
from packhouse.images.addresses import address_of, url_of
from packhouse.images.marking import with_pictures
from packhouse.images.shelf import Kept, Shelf
from packhouse.pages import pictures
from packhouse.throttle.limit import Limit
from packhouse.uploads.rendering import render

README = """
# Crates

[![build "x"]({url}/b.svg?a=1&b=2)](https://ci.example/) ![logo]({url}/a.png)

<p align="center"><img src="{url}/c.png" width="200" height=40 alt=""></p>

![no](javascript:alert(1)) ![no](relative.png) [text](https://elsewhere.example/)
"""


def yes():
    return True


def readme(origin):
    return render(README.replace("{url}", origin.url), "text/markdown")


def test_without_the_proxy_pictures_are_links(origin):
    html = with_pictures(readme(origin))
    assert "<img" not in html
    assert f'<a href="{origin.url}/a.png" class="image"' in html
    assert '<a href="https://ci.example/" rel="nofollow ugc noopener"><span' in html


def test_with_the_proxy_pictures_come_from_this_index(proxy):
    html = with_pictures(readme(proxy))
    images = re.findall(r"<img [^>]*>", html)
    assert len(images) == 3
    assert all('src="/_images/' in image and 'loading="lazy"' in image for image in images)
    assert 'alt="build &quot;x&quot;"' in images[0]
    assert 'width="200" height="40"' in images[2]
    assert f"{proxy.url}/" not in html
    assert '<a href="https://ci.example/" rel="nofollow ugc noopener"><img ' in html
    assert '<a href="https://elsewhere.example/" rel="nofollow ugc noopener">text</a>' in html
    signature, named = re.search(r'src="/_images/([^/]*)/([^"]*)"', images[0]).groups()
    assert url_of(signature, named) == f"{proxy.url}/b.svg?a=1&b=2"


@pytest.mark.parametrize(
    "html",
    [
        '<span data-src="javascript:alert(1)" class="image">x</span>',
        '<a href="https://a.example/x.png" rel="nofollow">x</a>',
        '<span class="image">x</span>',
        '<a href="https://a.example/" class="image"><b>x</b></a>',
    ],
)
def test_what_is_no_mark_of_the_renderer_stays_as_it_is(proxy, html):
    assert with_pictures(html) == html


@pytest.mark.django_db
def test_a_project_page_shows_the_pictures_and_a_reader_gets_them_here(client, proxy):
    shelves.publish(make_project("crates"), "1.0", readme="x", html=readme(proxy))
    page = client.get("/project/crates/").content.decode()
    address = re.findall(r'src="(/_images/[^"]*)"', page)[1]
    answer = client.get(address)
    assert (answer.status_code, answer.content, answer["Content-Type"]) == (200, PNG, "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"].startswith("public")
    assert not answer.cookies
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert proxy.asked == {"/a.png": 1}


@pytest.mark.django_db
def test_nothing_is_fetched_that_this_index_has_not_signed(client, proxy, settings):
    right = address_of(f"{proxy.url}/a.png")
    signature, named = right.split("/")[2:]
    other = address_of(f"{proxy.url}/b.svg").split("/")[3]
    for wrong in (f"/_images/{signature}/{other}", f"/_images/{signature[:-1]}x/{named}", "/_images/x/y", f"{right}A"):
        assert client.get(wrong).status_code == 404
    assert client.post(right).status_code == 405
    settings.PACKHOUSE = replace(settings.PACKHOUSE, image_proxy=False)
    assert client.get(right).status_code == 404
    assert proxy.asked == {}


@pytest.mark.django_db
def test_what_is_no_picture_is_asked_for_once_in_a_while(client, proxy, time_machine):
    time_machine.move_to(clock.now(), tick=False)
    address = address_of(f"{proxy.url}/missing.png")
    assert [client.get(address).status_code for _ in range(3)] == [404, 404, 404]
    assert proxy.asked["/missing.png"] == 1
    proxy.pages["/missing.png"] = (200, {}, PNG)
    time_machine.shift(timedelta(seconds=queries.REFUSED_FOR + 1))
    assert client.get(address).status_code == 200


def test_an_old_picture_is_shown_while_its_origin_does_not_answer(proxy, time_machine):
    time_machine.move_to(clock.now(), tick=False)
    url = f"{proxy.url}/a.png"
    assert queries.picture(url, yes).data == PNG
    proxy.pages["/a.png"] = (500, {}, b"")
    time_machine.shift(timedelta(days=2))
    assert [queries.picture(url, yes).data for _ in range(2)] == [PNG, PNG]
    assert proxy.asked["/a.png"] == 2


@pytest.mark.django_db
def test_a_reader_has_only_so_many_pictures_fetched(client, proxy, monkeypatch):
    monkeypatch.setattr(pictures, "FETCHES", Limit("images.client", "1 per minute"))
    first, second = address_of(f"{proxy.url}/a.png"), address_of(f"{proxy.url}/b.svg")
    assert [client.get(address).status_code for address in (first, first, second, first)] == [200, 200, 503, 200]
    assert client.get(second, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert client.get(second).status_code == 200  # now it is here
    assert proxy.asked == {"/a.png": 1, "/b.svg": 1}


@pytest.mark.django_db
def test_slow_origins_never_hold_all_threads(client, proxy):
    queries.picture(f"{proxy.url}/a.png", yes)
    turns = queries._turns()
    while turns.acquire(blocking=False):
        pass
    answer = client.get(address_of(f"{proxy.url}/b.svg"))
    assert (answer.status_code, answer["Retry-After"]) == (503, "3")
    assert client.get(address_of(f"{proxy.url}/a.png")).status_code == 200  # what is there needs no turn


def test_a_picture_that_a_power_cut_has_shortened_is_fetched_again(tmp_path):
    shelf = Shelf(tmp_path, 10_000)
    shelf.put("https://a.example/1", Kept("image/png", b"x" * 1000, 99))
    (path,) = tmp_path.glob("*/*")
    path.write_bytes(path.read_bytes()[:-1])
    assert shelf.get("https://a.example/1") is None


def test_the_shelf_keeps_to_its_room_and_drops_the_oldest(tmp_path):
    shelf = Shelf(tmp_path, 10_000)
    for number in range(49):
        shelf.put(f"https://a.example/{number}", Kept("image/png", b"x" * 1000, number))
    shelf.put("https://a.example/last", Kept("image/png", b"x" * 1000, 99))
    left = list(tmp_path.glob("*/*"))
    assert sum(path.stat().st_size for path in left) <= 8000
    assert shelf.get("https://a.example/last").until == 99
    assert shelf.get("https://a.example/0") is None


def test_a_shelf_that_cannot_be_written_or_read_costs_no_picture(tmp_path):
    (tmp_path / "file").write_text("no folder")
    shelf = Shelf(tmp_path / "file" / "below", 1000)
    shelf.put("https://a.example/", Kept("image/png", b"x", 1))
    assert shelf.get("https://a.example/") is None
    whole = Shelf(tmp_path, 1000)
    whole.put("https://a.example/", Kept("image/png", b"x", 1))
    next(path for path in tmp_path.glob("*/*")).write_bytes(b"torn")
    assert whole.get("https://a.example/") is None
