"""Versions: parsing, canonical spelling, and keys that order as PEP 440 does."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from packhouse.specs import versions
from packhouse.specs.errors import Refused

LADDER = """
1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345.dev456 1.0b2.post345
1.0rc1.dev456 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1 1!0.1 1!1
"""
NUMBERS = st.one_of(
    st.integers(0, 3), st.integers(0, 70_000), st.integers(10**18 - 2, 10**18 + 2), st.integers(2**64 - 2, 10**40)
)
LOCAL_PARTS = st.one_of(NUMBERS.map(str), st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True))


@st.composite
def version_texts(draw):
    epoch = draw(st.one_of(st.just(""), NUMBERS.map("{}!".format)))
    release = ".".join(map(str, draw(st.lists(NUMBERS, min_size=1, max_size=4))))
    pre = draw(st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), NUMBERS)))
    post = draw(st.one_of(st.just(""), NUMBERS.map(".post{}".format)))
    dev = draw(st.one_of(st.just(""), NUMBERS.map(".dev{}".format)))
    local = draw(st.one_of(st.just(""), st.lists(LOCAL_PARTS, min_size=1, max_size=3).map(lambda p: "+" + ".".join(p))))
    return f"{epoch}{release}{pre}{post}{dev}{local}"


VERSIONS = version_texts().map(Version)
SHORT_TEXTS = version_texts().filter(lambda text: len(text) <= versions.VERSION_MAX_LENGTH)
NEARBY = st.tuples(VERSIONS, st.sampled_from(["", ".0", ".1", "a1", "rc1", ".post1", ".dev0"])).map(
    lambda drawn: (drawn[0], Version(drawn[0].base_version + drawn[1]))
)


@given(st.one_of(st.tuples(VERSIONS, VERSIONS), NEARBY))
def test_keys_order_exactly_as_the_versions_do(pair):
    one, other = pair
    one_key, other_key = versions.sort_key(one), versions.sort_key(other)

    assert (one_key < other_key) == (one < other)
    assert (one_key == other_key) == (one == other)
    if one != other:
        assert not other_key.startswith(one_key)


@given(st.lists(VERSIONS, max_size=20))
def test_sorting_by_key_sorts_the_versions(drawn):
    assert sorted(drawn, key=versions.sort_key) == sorted(drawn)


def test_the_ladder_of_the_specification_is_climbed_in_order():
    keys = [versions.sort_key_of(text) for text in LADDER.split()]

    assert all(lower < higher for lower, higher in pairwise(keys))


def test_numbers_of_any_size_keep_their_order():
    sizes = [0, 1, 255, 256, 10**18, 10**19, 2 ** (8 * 253), 2 ** (8 * 254), 2 ** (8 * 300)]
    encoded = [versions._number(size) for size in sizes]

    assert encoded == sorted(encoded)
    assert not any(code.startswith(b"\x00") for code in encoded)


@given(st.text(max_size=20), VERSIONS)
def test_text_that_is_no_version_sorts_before_every_version(text, version):
    legacy = f"x{text}"

    assert versions.sort_key_of(legacy) < versions.sort_key(version)


@given(st.text(max_size=8), st.text(max_size=8))
def test_legacy_texts_have_distinct_keys_of_which_none_begins_another(one, other):
    one_key, other_key = versions.sort_key_of(f"x{one}"), versions.sort_key_of(f"x{other}")

    assert (one_key == other_key) == (one == other)
    assert one == other or not other_key.startswith(one_key)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("1.0", "1"), ("1.0.0-alpha.1", "1a1"), ("v2!01.20", "2!1.20"), ("1.0+Ubuntu-1", "1+ubuntu.1"), ("0", "0")],
)
def test_equal_versions_have_one_canonical_spelling(text, canonical):
    assert versions.canonical(versions.parse(text)) == canonical


@pytest.mark.parametrize("text", ["", "a", "1.0\n", " 1", "1..0", "\u0661", "1" * 201, "1-2-3", "1.0\x00"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(Refused) as refusal:
        versions.parse(text)

    assert (refusal.value.code, refusal.value.field) == ("version-invalid", "version")


@pytest.mark.parametrize(("text", "expected"), [("1", False), ("1.post1", False), ("1a1", True), ("1.dev0", True)])
def test_alphas_candidates_and_development_releases_are_prereleases(text, expected):
    assert versions.is_prerelease(versions.parse(text)) is expected


@given(st.lists(SHORT_TEXTS, min_size=1, unique_by=Version))
def test_one_more_version_takes_its_place_and_one_that_is_there_keeps_it(drawn):
    *before, last = drawn
    before.sort(key=Version)
    after = versions.with_version(before, last)
    assert after == sorted(drawn, key=Version)
    assert versions.with_version(after, last) == after
