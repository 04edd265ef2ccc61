"""What uploaders really send for a file agrees with its metadata; what says something else does not."""

import pytest

from packhouse.specs.errors import Refused
from packhouse.specs.metadata import compare, parse_embedded, parse_form, validate

METADATA = """\
Metadata-Version: 2.5
Name: Sample_project
Version: 1.0
Summary: A sample
License-Expression: MIT OR Apache-2.0
License-File: LICENSE
Keywords: one,two words
Author: Ann É
Author-email: Ann É <ann@example.com>, bob@example.com
Home-page: https://example.com
Requires-Python: >=3.8,<4
Classifier: Programming Language :: Python :: 3
Classifier: Development Status :: 4 - Beta
Provides-Extra: extra-one
Requires-Dist: Attrs (==1.0.0)
Requires-Dist: click (>8,<9) ; extra == "extra-one"
Requires-Dist: requests[socks,use-chardet] (>=2) ; python_version < "3.13"
Project-URL: Bug Tracker, https://example.com/bugs
Project-URL: Homepage, https://example.com
Description-Content-Type: text/markdown
Dynamic: License-File
Import-Name: sample_project

# Hé
some *text*

end

"""
COPIED = {
    "metadata_version": ["2.5"],
    "name": ["Sample_project"],
    "version": ["1.0"],
    "summary": ["A sample"],
    "license_expression": ["MIT OR Apache-2.0"],
    "license_file": ["LICENSE"],
    "keywords": ["one,two words"],
    "author": ["Ann É"],
    "author_email": ["Ann É <ann@example.com>, bob@example.com"],
    "requires_python": [">=3.8,<4"],
    "classifiers": ["Programming Language :: Python :: 3", "Development Status :: 4 - Beta"],
    "provides_extra": ["extra-one"],
    "requires_dist": [
        "Attrs (==1.0.0)",
        'click (>8,<9) ; extra == "extra-one"',
        'requests[socks,use-chardet] (>=2) ; python_version < "3.13"',
    ],
    "project_urls": ["Bug Tracker, https://example.com/bugs", "Homepage, https://example.com"],
    "description_content_type": ["text/markdown"],
    "dynamic": ["License-File"],
    "description": ["# Hé\nsome *text*\n\nend\n\n"],
}

AGREEING = {
    "a copy": {},
    "twine: safe name, keywords with spaces": {"name": ["Sample-project"], "keywords": ["one, two words"]},
    "uv: fields under other names, no python asked": {"requires_python": [""], "import_names": ["sample_project"]},
    "hatch: sorted and canonical requirements": {
        "requires_dist": [
            "requests[use-chardet,socks]>=2; python_version < '3.13'",
            "click<9,>8; extra == 'extra-one'",
            "attrs==1.0.0",
        ],
        "requires_python": ["<4,>=3.8"],
        "classifiers": ["Development Status :: 4 - Beta", "Programming Language :: Python :: 3"],
    },
    "flit: own metadata version, deprecated provides": {
        "metadata_version": ["2.3"],
        "provides": ["sample_project"],
        **{name: [] for name in ("license_expression", "license_file", "dynamic")},
    },
    "poetry: another order of URLs": {
        "project_urls": ["Homepage,https://example.com", "Bug Tracker , https://example.com/bugs"],
    },
    "line ends of a multipart form": {"description": ["# Hé\r\nsome *text*\r\n\r\nend"]},
    "version and extras in other spellings": {"version": ["1.0.0"], "provides_extra": ["Extra_One"]},
    "license and dynamic in other cases": {"license_expression": ["mit OR apache-2.0"], "dynamic": ["license-file"]},
    "unknown for nothing": {"home_page": ["UNKNOWN"], "platform": ["UNKNOWN"]},
    "a folded list of addresses": {"author_email": ["Ann É <ann@example.com>,\n  bob@example.com"]},
    "identity alone": {name: [] for name in set(COPIED) - {"metadata_version", "name", "version"}},
}


@pytest.mark.parametrize("sent", AGREEING.values(), ids=AGREEING.keys())
def test_what_uploaders_send_agrees(sent):
    form, embedded = parse_form(COPIED | sent), parse_embedded(METADATA.encode())
    validate(form, allow_local_versions=False)
    validate(embedded, allow_local_versions=False)

    compare(form, embedded)


DIFFERING = [
    ("name", ["other"]),
    ("name", []),
    ("version", ["1.0.1"]),
    ("version", []),
    ("metadata_version", []),
    ("summary", ["Another"]),
    ("description", ["Another"]),
    ("keywords", ["one two words"]),
    ("home_page", ["https://example.net"]),
    ("author", ["Bob"]),
    ("author_email", ["bob@example.com"]),
    ("maintainer", ["Bob"]),
    ("license", ["MIT"]),
    ("license_expression", ["MIT"]),
    ("license_file", ["COPYING"]),
    ("platform", ["any"]),
    ("download_url", ["https://example.com/x"]),
    ("classifiers", ["Programming Language :: Python :: 3"]),
    ("requires_python", [">=3.8"]),
    ("requires_dist", ["attrs==1.0.0"]),
    ("requires_dist", ["evil"]),
    ("provides_extra", ["extra-two"]),
    ("provides_dist", ["other"]),
    ("project_urls", ["Homepage, https://example.net"]),
    ("description_content_type", ["text/plain"]),
    ("dynamic", ["Summary"]),
    ("import_name", ["other"]),
    ("import_namespace", ["other"]),
]


@pytest.mark.parametrize(("field", "sent"), DIFFERING)
def test_a_form_that_says_something_else_than_the_file_is_refused(field, sent):
    with pytest.raises(Refused) as refusal:
        compare(parse_form(COPIED | {field: sent}), parse_embedded(METADATA.encode()))

    assert refusal.value.code == "metadata-mismatch"
    assert refusal.value.field.replace("-", "_") == {"classifiers": "classifier", "project_urls": "project_url"}.get(
        field, field
    )


def test_a_folded_description_agrees_with_the_raw_one_that_old_clients_copy():
    head = "Metadata-Version: 1.1\nName: old\nVersion: 1\n"
    embedded = parse_embedded(f"{head}Description: One\n        two\n        \n          three\n".encode())
    identity = {"metadata_version": ["1.1"], "name": ["old"], "version": ["1"]}

    for description in (
        "One\n        two\n        \n          three",
        "One\ntwo\n\n  three",
        "One\n       |two\n three",
    ):
        compare(parse_form(identity | {"description": [description]}), embedded)
