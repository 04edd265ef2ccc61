"""Choosing a representation: the table of the simple API, and no header that breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packhouse.dataplane.conditional import UNSATISFIABLE, byte_range, matches
from packhouse.dataplane.negotiation import HTML, OFFERS, V1_HTML, V1_JSON, encoding, media_type

PIP = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
UV = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, HTML),
        ("*/*", HTML),
        ("text/*", HTML),
        ("not a media type;;;", HTML),
        ("", HTML),
        ("application/json", HTML),
        ("text/plain", HTML),
        ("application/*", V1_HTML),
        (V1_JSON, V1_JSON),
        (V1_JSON.upper(), V1_JSON),
        (PIP, V1_JSON),
        (UV, V1_JSON),
        (f"text/html, {V1_JSON}", HTML),
        (f"{V1_JSON};q=0, */*;q=0.1", HTML),
        (f"{V1_JSON}; charset=utf-8", HTML),
        (f"text/html;q=0.5, {V1_JSON};q=0.6", V1_JSON),
        ("application/vnd.pypi.simple.latest+json", V1_JSON),
        ("application/vnd.pypi.simple.latest+html", V1_HTML),
        (f"text/html;q=0, {V1_HTML};q=0.1", V1_HTML),
    ],
)
def test_the_media_type_follows_accept(accept, expected):
    assert media_type(accept) == expected


@pytest.mark.parametrize("value", [*OFFERS, "application/vnd.pypi.simple.latest+json"])
def test_the_format_parameter_goes_before_accept(value):
    assert media_type("*/*", value) == (V1_JSON if value.endswith("latest+json") else value)


def test_an_unknown_format_parameter_is_ignored():
    assert media_type(V1_JSON, "text/xml") == V1_JSON


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip, deflate", "gzip"),
        ("gzip, br, zstd", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("gzip;q=0", "identity"),
        ("*", "zstd"),
        ("identity, gzip;q=0.5", "identity"),
        ("x-gzip", "gzip"),
        ("br", "identity"),
        ("*;q=0, gzip", "gzip"),
    ],
)
def test_the_content_coding_follows_accept_encoding(header, expected):
    assert encoding(header) == expected


@given(st.text(max_size=300))
def test_any_header_gets_some_offer(text):
    assert media_type(text) in OFFERS
    assert media_type(None, text) in OFFERS
    assert encoding(text) in ("identity", "gzip", "zstd")


@given(st.lists(st.sampled_from([*OFFERS, "*/*", "text/*", "application/*", "image/png"]), max_size=6), st.data())
def test_an_offer_with_weight_zero_is_never_chosen_over_one_that_is_wanted(names, data):
    weights = [data.draw(st.sampled_from(["0", "0.1", "0.5", "1"])) for _ in names]
    header = ", ".join(f"{name};q={weight}" for name, weight in zip(names, weights, strict=True))
    chosen = media_type(header)
    exact = dict(reversed(list(zip(names, weights, strict=True))))
    if exact.get(chosen) == "0":
        assert chosen == HTML  # nothing else was acceptable either


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-30", (70, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=-0", UNSATISFIABLE),
        ("bytes=100-", UNSATISFIABLE),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_a_range_is_a_slice_unsatisfiable_or_ignored(header, expected):
    assert byte_range(header, 100) == expected


@given(st.text(max_size=60), st.integers(0, 10**6))
def test_no_range_reaches_outside_the_file(text, size):
    for header in (text, f"bytes={text}"):
        found = byte_range(header, size)
        if found not in (None, UNSATISFIABLE):
            assert 0 <= found[0] < found[1] <= size


@pytest.mark.parametrize(
    ("header", "expected"),
    [('"a"', True), ('"b", "a"', True), ('W/"a"', True), ("*", True), ('"b"', False), ("a", False), ("", False)],
)
def test_if_none_match_is_a_list_compared_weakly(header, expected):
    assert matches(header, '"a"') is expected
