"""What a picture may be, and what its origin may do."""

import threading

import pytest
from tests.images.origin import PNG, SVG

from packhouse.images import fetching, kinds
from packhouse.images.fetching import NotFetched, fetch

HERE = ["127.0.0.0/8"]
S = 'xmlns="http://www.w3.org/2000/svg"'
X = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF89a....", "image/gif"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x1cftypavif....", "image/avif"),
        (SVG, "image/svg+xml"),
        (
            b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x.dtd'>" + SVG,
            "image/svg+xml",
        ),
    ],
)
def test_a_picture_is_known_by_its_bytes_whatever_its_origin_calls_it(origin, data, kind):
    origin.pages["/x"] = (200, {"Content-Type": "text/html"}, data)
    assert fetch(f"{origin.url}/x", allowed=HERE).kind == kind


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><script>alert(1)</script></html>",
        b"<!doctype html><svg xmlns='http://www.w3.org/2000/svg'></svg>",
        b"<svg><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"plain",
        b"\x1f\x8b\x08\0\0\0\0\0",
        b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><svg xmlns='http://www.w3.org/2000/svg'>&b;</svg>",
        b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg xmlns='http://www.w3.org/2000/svg'>&x;</svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 1000 + b"</g>" * 1000 + b"</svg>",
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"<g>" * 200_000,
    ],
)
def test_what_is_no_picture_is_not_shown(origin, data):
    origin.pages["/x"] = (200, {"Content-Type": "image/png"}, data)
    with pytest.raises(NotFetched):
        fetch(f"{origin.url}/x", allowed=HERE)


@pytest.mark.parametrize(
    ("inside", "gone"),
    [
        ("<script>pwned()</script>", "script"),
        ("<SCRIPT>pwned()</SCRIPT>", "SCRIPT"),
        ("<g onload='pwned()'/>", "onload"),
        ("<g ONLOAD='pwned()'/>", "ONLOAD"),
        ("<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>", "foreignObject"),
        ("<h:script xmlns:h='http://www.w3.org/1999/xhtml'>pwned()</h:script>", "pwned"),
        ("<h:iframe xmlns:h='http://www.w3.org/1999/xhtml' src='https://evil.example/'/>", "evil"),
        ("<a href='javascript:pwned()'><text>x</text></a>", "javascript"),
        ("<a xlink:href='java&#9;script:pwned()'><text>x</text></a>", "script"),
        ("<image href='https://evil.example/x.png'/>", "evil"),
        ("<image xlink:href='//evil.example/x.png'/>", "evil"),
        ("<use href='https://evil.example/x.svg#y'/>", "evil"),
        ("<image href='data:image/svg+xml;base64,PHN2Zz4='/>", "data:"),
        ("<style>@import 'https://evil.example/x.css';</style>", "evil"),
        ("<style>rect { fill: url(https://evil.example/x) }</style>", "evil"),
        ("<style>rect { fill: \\75rl(https://evil.example/x) }</style>", "evil"),
        ("<rect style='fill:url(//evil.example/x)'/>", "evil"),
        ("<rect fill='url( \"https://evil.example/x\" )'/>", "evil"),
        ("<rect filter='url(https://evil.example/x#y)'/>", "evil"),
        ("<a><set attributeName='href' to='javascript:pwned()'/></a>", "pwned"),
        ("<a><animate attributeName='xlink:href' values='javascript:pwned()'/></a>", "pwned"),
        ("<animate attributeName='onload' to='pwned()'/>", "pwned"),
        ("<animate onbegin='pwned()' attributeName='x'/>", "pwned"),
        ("<g xml:base='https://evil.example/'/>", "evil"),
        ("<handler xmlns:ev='http://www.w3.org/2001/xml-events' ev:event='load'>pwned()</handler>", "pwned"),
        ("<?xml-stylesheet href='https://evil.example/x.css'?>", "evil"),
        ("<!-- <script>pwned()</script> -->", "pwned"),
        ("<image href=' data:text/html,pwned()'/>", "pwned"),
    ],
)
def test_a_drawing_loses_what_could_run_ask_or_lead_elsewhere(inside, gone):
    cleaned = kinds.cleaned_svg(f"<svg {S} {X}>{inside}<rect id='kept' width='1'/></svg>".encode()).decode()
    assert gone not in cleaned
    assert 'id="kept"' in cleaned


def test_a_drawing_keeps_what_is_its_own():
    drawing = (
        f"<svg {S} {X} role='img' viewBox='0 0 9 9'><title>x</title><style>rect {{ fill: url(#a) }}</style>"
        "<defs><linearGradient id='a'><stop offset='0' stop-color='#fff'/></linearGradient></defs>before"
        "<script>x</script>after<rect fill='url(#a)' clip-path='url(&quot;#b&quot;)'/><use xlink:href='#a'/>"
        "<image href='data:image/png;base64,iVBORw0KGgo='/><animate attributeName='x' to='1'/></svg>"
    )
    cleaned = kinds.cleaned_svg(drawing.encode()).decode()
    kept = (
        "title>x<",
        "url(#a)",
        'href="#a"',
        "data:image/png",
        "animate attributeName",
        "viewBox",
        "stop-color",
        "beforeafter",
        "#b",
    )
    assert [piece for piece in kept if piece not in cleaned] == []
    assert "ns0:" not in cleaned


def test_an_origin_is_told_nothing_of_the_reader(origin):
    fetch(f"{origin.url}/a.png", allowed=HERE)
    assert set(origin.heard[0]) == {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


def test_redirects_are_followed_a_few_times(origin):
    origin.moved("/one", "two")
    origin.moved("/two", f"{origin.url}/a.png")
    assert fetch(f"{origin.url}/one", allowed=HERE).data == PNG
    origin.moved("/loop", "/loop")
    with pytest.raises(NotFetched, match="too often"):
        fetch(f"{origin.url}/loop", allowed=HERE)
    assert origin.asked["/loop"] == fetching.REDIRECTS + 1


def test_a_picture_that_is_too_large_is_not_read_to_its_end(origin, monkeypatch):
    monkeypatch.setattr(fetching, "LARGEST", 1000)
    origin.pages["/x"] = (200, {}, PNG + b"\0" * 1000)
    with pytest.raises(NotFetched, match="too large"):
        fetch(f"{origin.url}/x", allowed=HERE)


@pytest.mark.parametrize("path", ["/slow-head", "/slow-body"])
def test_an_origin_that_never_ends_is_cut_off(origin, path):
    """It sends a byte before every time-out of the socket; without the cut this test would never end."""
    with pytest.raises(NotFetched):
        fetch(f"{origin.url}{path}", allowed=HERE, seconds=0.5)
    assert [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)] == []


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (404, {}),
        (500, {}),
        (206, {}),
        (302, {}),
        (200, {"Content-Encoding": "gzip"}),
        (200, {"Content-Length": "9999"}),
    ],
)
def test_any_answer_but_a_whole_picture_is_none(origin, status, headers):
    origin.pages["/x"] = (status, headers, PNG)
    with pytest.raises(NotFetched):
        fetch(f"{origin.url}/x", allowed=HERE)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 86_400),
        ("max-age=0", 3600),
        ("public, max-age=7200", 7200),
        ("max-age=99999999", 604_800),
        ("s-maxage=9", 86_400),
    ],
)
def test_a_picture_is_kept_as_long_as_its_origin_says_within_bounds(origin, said, seconds):
    origin.pages["/x"] = (200, {"Cache-Control": said}, PNG)
    assert fetch(f"{origin.url}/x", allowed=HERE).lifetime == seconds
