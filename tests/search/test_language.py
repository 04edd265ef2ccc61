"""What people type and what it comes to: pure, without a database."""

from datetime import date

import pytest

from packhouse.search import analysis, matching, spelling
from packhouse.search.expressions import ALL
from packhouse.search.language import Wanted, read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http client", {"words": ("http", "client")}),
        ('"event loop" fast', {"words": ("fast",), "phrases": (("event", "loop"),)}),
        ("“event loop”", {"phrases": (("event", "loop"),)}),
        ("cache -redis", {"words": ("cache",), "without": (("redis",),)}),
        ("dja*", {"beginnings": ("dja",)}),
        ("import:yaml", {"imports": ("yaml",)}),
        ("name:flask", {"names": ("flask",)}),
        ('classifier:"Framework :: Django"', {"classifiers": ("Framework :: Django",)}),
        ("python:3.12 licence:MIT", {"pythons": ("3.12",), "licenses": ("MIT",)}),
        ("has:wheels", {"wheels": True}),
        ("since:2026-03", {"since": date(2026, 3, 1)}),
        ("since:yesterday", {"words": ("since", "yesterday")}),
        ("zope.interface", {"words": ("zope", "interface")}),
        ("https://example.org", {"words": ("https", "example", "org")}),
        ('"', {}),
        ("", {}),
    ],
)
def test_what_is_typed_is_understood(text, expected):
    assert read(text) == Wanted(text=text.strip(), **expected)


@pytest.mark.parametrize(
    "text", ['"', "-", "- -", ":", "*", "a:" * 400, "'\\", "\x00", "NEAR(", "AND OR NOT", "x" * 1000]
)
def test_nothing_that_is_typed_is_an_error(text):
    matching.text(read(text))


def test_a_search_without_words_matches_everything():
    assert matching.text(read("has:wheels")) == ALL


@pytest.mark.parametrize(
    "kin",
    [
        "parse parser parsers parsing parsed",
        "plot plots plotting plotter",
        "query queries",
        "validate validation validator validating",
        "cache caching cached caches",
        "class classes",
        "visualize visualization visualizer visualizing",
    ],
)
def test_kin_share_a_stem(kin):
    assert len({analysis.stem(word) for word in kin.split()}) == 1


@pytest.mark.parametrize("word", ["aws", "redis", "status", "sqlite3", "user", "düsseldorf", "class"])
def test_words_without_an_ending_stay(word):
    assert analysis.stem(word) == word


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("requets", "requests", 1), ("djnago", "django", 1), ("nupmy", "numpy", 1), ("abc", "abc", 0), ("abc", "xyz", 3)],
)
def test_a_distance_counts_letters_and_swaps(one, other, expected):
    assert spelling.distance(one, other, 2) == expected
    assert (other in spelling.one_off(one)) == (expected == 1)
