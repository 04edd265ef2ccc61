"""Project names: validity, sameness, likeness, and the names that nobody may take."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from packhouse.specs import names
from packhouse.specs.errors import Refused

LETTERS = "abzABZ019lLiIoO"
VALID_NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,30}[A-Za-z0-9])?", fullmatch=True)
SEPARATORS = st.from_regex(r"[-_.]{1,3}", fullmatch=True)


@given(VALID_NAMES)
def test_normalising_agrees_with_packaging_and_is_stable(name):
    normal = names.normalize(name)

    assert normal == canonicalize_name(name)
    assert names.normalize(normal) == normal
    assert names.is_valid_name(normal)


@given(st.lists(st.text(LETTERS, min_size=1), min_size=1, max_size=4), SEPARATORS, SEPARATORS)
def test_names_that_differ_in_case_and_separators_are_the_same(words, one, other):
    assert names.normalize(one.join(words)) == names.normalize(other.join(words).swapcase())


@given(VALID_NAMES)
def test_the_skeleton_depends_on_the_normalised_name_alone(name):
    assert names.skeleton(name) == names.skeleton(names.normalize(name))
    assert not set(names.skeleton(name)) & set("lio._-")


@given(st.text(max_size=40))
def test_a_valid_name_is_ascii_without_space_or_control_characters(text):
    if names.is_valid_name(text):
        assert text.isascii()
        assert text.strip(" \t\r\n\v\f._-") == text
        assert text.isprintable()


@pytest.mark.parametrize("name", ["a", "A1", "zope.interface", "a--b", "a_.b", "0", "x" * 200])
def test_a_name_of_letters_digits_and_inner_separators_is_valid(name):
    assert names.check_project_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-a",
        "a-",
        "_a",
        ".well-known",
        "a b",
        "a/b",
        "a\n",
        "a\r\n",
        "é",
        "a\x00b",
        "\u017f",
        "\u212a",
        "a\u200bb",
        "x" * 201,
    ],
)
def test_any_other_name_is_invalid(name):
    with pytest.raises(Refused) as refusal:
        names.check_project_name(name)

    assert refusal.value.code == "name-invalid"
    assert refusal.value.field == "name"


@pytest.mark.parametrize("names_alike", [("library", "1ibrary", "LIBRARY", "li-brary"), ("foo.o", "f00-0", "FO_OO")])
def test_names_that_look_alike_share_a_skeleton(names_alike):
    assert len({names.skeleton(name) for name in names_alike}) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("os", "OS", "os.path", "xml-etree", "concurrent", "Concurrent_Futures", "StringIO", "md5", "tomllib"),
        *("annotationlib", "compression.zstd", "urllib2", "distutils", "string-templatelib", "asyncore"),
    ],
)
def test_the_name_of_a_standard_library_module_of_any_cpython_is_refused(name):
    with pytest.raises(Refused) as refusal:
        names.check_project_name(name)

    assert refusal.value.code == "name-is-standard-library"


def test_the_modules_of_the_running_interpreter_are_all_known():
    public = {name for name in sys.stdlib_module_names if not name.startswith("_")}

    assert {name for name in public if not names.is_stdlib_name(name)} == set()


@pytest.mark.parametrize("name", ["Simple", "pypi", "admin", "requirements.txt"])
def test_a_name_of_the_index_itself_or_of_a_mistyped_command_is_refused(name):
    with pytest.raises(Refused) as refusal:
        names.check_project_name(name)

    assert refusal.value.code == "name-is-reserved"


def test_every_refusal_of_names_is_explained():
    assert set(names.REASONS) == {"name-invalid", "name-is-standard-library", "name-is-reserved"}


def test_a_long_value_is_shown_with_its_ends_only():
    assert names.shorten("a" * 40 + "b" * 40) == "a" * 28 + "..." + "b" * 28
    assert names.shorten("short") == "short"
