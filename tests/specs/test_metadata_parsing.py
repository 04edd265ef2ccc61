"""Core metadata as tools have written it, read from files and forms into one shape."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.metadata import parse_email

from packhouse.specs.errors import Refused
from packhouse.specs.metadata import REASONS, parse_embedded, parse_form, validate
from packhouse.specs.metadata.fields import FIELDS, TOTAL_MAX_BYTES

MODERN = """\
Metadata-Version: 2.4
Name: Sample.Project
Version: 1.0
Summary: A sample, ünïcode too
Project-URL: Homepage, https://example.com/a,b
Project-URL: Bug Tracker,https://example.com/bugs
Author-email: Ann É <ann@example.com>, bob@example.com
License-Expression: mit or apache-2.0
License-File: LICENSE
License-File: licenses/BSD.txt
Keywords: one,two words, three
Classifier: Programming Language :: Python :: 3
Classifier: Development Status :: 4 - Beta
Requires-Python: >=3.9
Provides-Extra: Extra_One
Requires-Dist: attrs>=2; extra == "extra-one"
Dynamic: license-file
Description-Content-Type: text/markdown
X-Vendor: own header

# Title

    code: indented
"""

FOLDED = """\
Metadata-Version: 1.1
Name: old
Version: 0.9
Summary: An old one
Home-page: UNKNOWN
Author: Ann
License: Copyright (c) Ann
        All rights reserved.
Description: Title
        =====
        
            code
        end
Platform: UNKNOWN
Classifier: Topic :: Software Development
"""  # noqa: W293  (the blank line of a folded description is indented)


def test_metadata_of_today_is_read_into_every_field():
    metadata = parse_embedded(MODERN.encode())

    assert metadata.metadata_version == "2.4"
    assert metadata.name == "Sample.Project"
    assert metadata.summary == "A sample, ünïcode too"
    assert metadata.project_urls == (
        ("Homepage", "https://example.com/a,b"),
        ("Bug Tracker", "https://example.com/bugs"),
    )
    assert metadata.license_expression == "MIT OR Apache-2.0"
    assert metadata.license_files == ("LICENSE", "licenses/BSD.txt")
    assert metadata.keywords == ("one", "two words", "three")
    assert metadata.classifiers == ("Development Status :: 4 - Beta", "Programming Language :: Python :: 3")
    assert metadata.provides_extra == ("extra-one",)
    assert metadata.dynamic == ("License-File",)
    assert metadata.description == "# Title\n\n    code: indented\n"
    assert metadata.unknown == (("X-Vendor", "own header"),)
    assert metadata.malformed == ()


def test_metadata_of_old_distutils_is_unfolded_and_its_unknowns_dropped():
    metadata = parse_embedded(FOLDED.encode())

    assert metadata.description == "Title\n=====\n\n    code\nend"
    assert metadata.license == "Copyright (c) Ann\nAll rights reserved."
    assert (metadata.home_page, metadata.platforms) == ("", ())


def test_a_description_folded_with_bars_is_unfolded():
    raw = b"Metadata-Version: 1.2\nName: a\nVersion: 1\nDescription: one\n       |  two\n       |\n       |three\n"

    assert parse_embedded(raw).description == "one\n  two\n\nthree"


def test_line_ends_of_windows_are_read_as_any():
    assert parse_embedded(MODERN.replace("\n", "\r\n").encode()) == parse_embedded(MODERN.encode())


def test_license_files_from_before_their_time_are_set_aside():
    metadata = parse_embedded(b"Metadata-Version: 2.1\nName: a\nVersion: 1\nLicense-File: LICENSE\n")

    assert metadata.license_files == ()
    assert metadata.unknown == (("License-File", "LICENSE"),)
    validate(metadata, allow_local_versions=False)


def test_an_empty_import_name_says_that_there_is_none():
    metadata = parse_embedded(b"Metadata-Version: 2.5\nName: a\nVersion: 1\nImport-Name:\n")

    assert metadata.import_names == ("",)
    validate(metadata, allow_local_versions=False)


def test_the_json_form_holds_present_fields_but_not_the_description():
    shape = parse_embedded(MODERN.encode()).to_json()

    assert json.loads(json.dumps(shape)) == {
        "metadata_version": "2.4",
        "name": "Sample.Project",
        "version": "1.0",
        "summary": "A sample, ünïcode too",
        "keywords": ["one", "two words", "three"],
        "author_email": "Ann É <ann@example.com>, bob@example.com",
        "classifier": ["Development Status :: 4 - Beta", "Programming Language :: Python :: 3"],
        "requires_python": ">=3.9",
        "requires_dist": ['attrs>=2; extra == "extra-one"'],
        "project_url": ["Homepage, https://example.com/a,b", "Bug Tracker, https://example.com/bugs"],
        "description_content_type": "text/markdown",
        "provides_extra": ["extra-one"],
        "dynamic": ["License-File"],
        "license_expression": "MIT OR Apache-2.0",
        "license_file": ["LICENSE", "licenses/BSD.txt"],
    }


FORM = {
    "metadata_version": ["2.5"],
    "name": ["sample"],
    "version": ["1.0"],
    "summary": [" UNKNOWN\n"],
    "requires_python": [""],
    "keywords": ["a, b ,,c"],
    "platform": ["UNKNOWN", "any"],
    "supported_platform": ["RedHat"],
    "classifiers": ["Programming Language :: Python :: 3"],
    "license_file": ["LICENSE"],
    "import_names": ["sample"],
    "description": ["NUL \x00 inside\r\n"],
    "author": ["Ann\n\tOther"],
    "content": ["ignored"],
    "project-url": ["ignored"],
    "": ["ignored"],
}


def test_the_upload_form_is_read_under_its_own_names_and_sanitised():
    metadata = parse_form(FORM)

    assert metadata.summary == metadata.requires_python == ""
    assert metadata.keywords == ("a", "b", "c")
    assert (metadata.platforms, metadata.supported_platforms) == (("any",), ("RedHat",))
    assert (metadata.license_files, metadata.import_names) == (("LICENSE",), ("sample",))
    assert metadata.description == "NUL \\x00 inside\r\n"
    assert metadata.author == "Ann Other"
    assert metadata.unknown == ()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"Metadata-Version: 2.1\nName: caf\xe9\nVersion: 1\n", "metadata-not-utf8"),
        (b"", "metadata-malformed"),
        (b"\nName: a\n", "metadata-malformed"),
        (b"Metadata-Version: 2.1\nName : a\n", "metadata-malformed"),
        (b"Metadata-Version: 2.1\nFrom me\n", "metadata-malformed"),
        (b"Metadata-Version: 2.1\rName: a\n", "metadata-malformed"),
        (b"Name: a\nSummary: b\n c\rRequires-Dist: hidden\n", "metadata-malformed"),
        (b"Name: a\r\rRequires-Dist: hidden\n", "metadata-malformed"),
        (b" Name: a\n", "metadata-malformed"),
        (b"\xef\xbb\xbfName: a\n", "metadata-malformed"),
        (b"Name: a\n\n" + b"x" * TOTAL_MAX_BYTES, "metadata-too-large"),
        (b"X:\n" * 200_000, "metadata-too-large"),
        (b"Requires-Dist: a\n" * 100_000, "metadata-too-large"),
    ],
)
def test_a_file_that_cannot_be_read_in_one_way_is_refused(raw, code):
    with pytest.raises(Refused) as refusal:
        parse_embedded(raw)

    assert refusal.value.code == code
    assert code in REASONS


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
def test_every_field_is_bounded(field):
    with pytest.raises(Refused) as refusal:
        parse_form({field.form_name: ["x" * (field.max_length + 1)]})

    assert refusal.value.code == "metadata-too-large"


@pytest.mark.parametrize("many", [["a"] * 100_000, ["a" * 2000] * 2000], ids=["too many", "too long together"])
def test_a_list_is_bounded_in_number_and_sum(many):
    with pytest.raises(Refused) as refusal:
        parse_form({"requires_dist": many})

    assert (refusal.value.code, refusal.value.field) == ("metadata-too-large", "requires-dist")


ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
LAYOUT = st.sampled_from(
    ["a", " ", "\n", "\r", "\r\n", "\n ", "\n\t", "\nRequires-Dist: b", "\rName: c", "UNKNOWN", "\x85", "\x0c"]
)
VALUES = st.one_of(ANY_TEXT, st.lists(LAYOUT, max_size=5).map("".join))


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Name", "summary", "Author", "Requires-Dist", "X-Any", "Platform", "Description"]),
            VALUES,
        ),
        min_size=1,
        max_size=6,
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=20),
)
def test_files_are_read_as_packaging_reads_them(headers, body):
    text = "".join(f"{name}: {value}\n" for name, value in headers) + f"\n{body}"
    theirs, _ = parse_email(text)
    try:
        ours = parse_embedded(text.encode())
    except Refused:
        return

    for name in ("name", "author", "requires_dist", "platforms"):
        expected = theirs.get(name, "")
        values = [expected] if isinstance(expected, str) else expected
        spoken = [_tidy(value) for value in values if _tidy(value) and _tidy(value) != "UNKNOWN"]
        found = getattr(ours, name)
        assert [_tidy(value) for value in ([found] if isinstance(found, str) else found) if value] == spoken


def _tidy(text):
    return " ".join(text.split())


@given(st.dictionaries(st.sampled_from([field.form_name for field in FIELDS]), st.lists(st.text(), max_size=3)))
def test_any_form_is_either_valid_or_refused_with_a_known_reason(fields):
    try:
        validate(parse_form(fields), allow_local_versions=True)
    except Refused as refused:
        assert refused.code  # noqa: PT017
