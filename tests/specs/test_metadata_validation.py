"""The rules of core metadata: one case for each refusal, and what is taken beside it."""

from contextlib import suppress

import pytest

from packhouse.specs import names, versions
from packhouse.specs.errors import Refused
from packhouse.specs.metadata import REASONS, parse_form, validate
from packhouse.specs.metadata.fields import FIELDS, METADATA_VERSIONS

GOOD = {"metadata_version": ["2.6"], "name": ["sample"], "version": ["1.0"]}


def refusal_of(fields, **policy):
    with pytest.raises(Refused) as refusal:
        validate(parse_form(GOOD | fields), **{"allow_local_versions": False, **policy})
    assert refusal.value.code in REASONS | names.REASONS | versions.REASONS
    return refusal.value


REFUSED = [
    ({"metadata_version": ["2.0"]}, "metadata-version-unsupported", "metadata-version"),
    ({"metadata_version": ["9.9"]}, "metadata-version-unsupported", "metadata-version"),
    ({"metadata_version": []}, "metadata-field-missing", "metadata-version"),
    ({"name": [""]}, "metadata-field-missing", "name"),
    ({"name": ["UNKNOWN"]}, "metadata-field-missing", "name"),
    ({"name": ["-sample"]}, "name-invalid", "name"),
    ({"version": []}, "metadata-field-missing", "version"),
    ({"version": ["one"]}, "version-invalid", "version"),
    ({"version": ["1.0+local"]}, "metadata-local-version", "version"),
    ({"name": ["a", "b"]}, "metadata-field-repeated", "name"),
    ({"summary": ["a", "a"]}, "metadata-field-repeated", "summary"),
    ({"keywords": ["a", "b"]}, "metadata-field-repeated", "keywords"),
    ({"metadata_version": ["1.0"], "classifiers": ["x"]}, "metadata-field-too-new", "classifier"),
    ({"metadata_version": ["1.1"], "requires_dist": ["x"]}, "metadata-field-too-new", "requires-dist"),
    ({"metadata_version": ["2.1"], "dynamic": ["Summary"]}, "metadata-field-too-new", "dynamic"),
    ({"metadata_version": ["2.3"], "license_expression": ["MIT"]}, "metadata-field-too-new", "license-expression"),
    ({"metadata_version": ["2.4"], "import_name": ["a"]}, "metadata-field-too-new", "import-name"),
    ({"summary": ["one\ntwo"]}, "metadata-summary", "summary"),
    ({"summary": ["one\u2028two"]}, "metadata-summary", "summary"),
    ({"summary": ["s" * 513]}, "metadata-summary", "summary"),
    ({"author": ["A\x1b[31m"]}, "metadata-control-character", "author"),
    ({"platform": ["ok", "a\x7f"]}, "metadata-control-character", "platform"),
    ({"project_urls": ["a\x01, https://example.com"]}, "metadata-control-character", "project-url"),
    ({"description": ["\ud800"]}, "metadata-control-character", "description"),
    ({"author_email": ["ann"]}, "metadata-email", "author-email"),
    ({"author_email": ["ann@localhost"]}, "metadata-email", "author-email"),
    ({"maintainer_email": ["Ann <ann@-x.example>"]}, "metadata-email", "maintainer-email"),
    ({"classifiers": ["Topic :: Nothing"]}, "metadata-classifier", "classifier"),
    ({"classifiers": ["Natural Language :: Ukranian"]}, "metadata-classifier", "classifier"),
    ({"classifiers": ["Private :: Do Not Upload"]}, "metadata-classifier", "classifier"),
    ({"home_page": ["javascript:alert(1)"]}, "metadata-url", "home-page"),
    ({"download_url": ["https://example.com/a b"]}, "metadata-url", "download-url"),
    ({"project_urls": ["https://example.com"]}, "metadata-project-url", "project-url"),
    ({"project_urls": [", https://example.com"]}, "metadata-project-url", "project-url"),
    ({"project_urls": ["Home,"]}, "metadata-project-url", "project-url"),
    ({"project_urls": ["x" * 33 + ", https://example.com"]}, "metadata-project-url", "project-url"),
    ({"project_urls": ["Home, ftp://example.com"]}, "metadata-project-url", "project-url"),
    ({"project_urls": ["A, https://a.example", "A, https://b.example"]}, "metadata-project-url", "project-url"),
    ({"requires_dist": ["attrs >>> 1"]}, "metadata-requirement", "requires-dist"),
    ({"requires_dist": ["attrs; " + "(" * 1500]}, "metadata-requirement", "requires-dist"),
    ({"requires_dist": ["a @ https://example.com/a.whl"]}, "metadata-direct-reference", "requires-dist"),
    ({"provides_dist": ["a @ https://example.com/a.whl"]}, "metadata-direct-reference", "provides-dist"),
    ({"obsoletes_dist": ["!"]}, "metadata-requirement", "obsoletes-dist"),
    ({"requires_python": ["three"]}, "metadata-requires-python", "requires-python"),
    ({"description_content_type": ["text/html"]}, "metadata-description-content-type", "description-content-type"),
    ({"description_content_type": ["text/plain; charset=latin-1"]}, "metadata-description-content-type", None),
    ({"description_content_type": ["text/markdown; variant=pandoc"]}, "metadata-description-content-type", None),
    ({"description_content_type": ["text/plain " + "(" * 200]}, "metadata-description-content-type", None),
    (
        {"description_content_type": ["text/plain; charset=UTF-8; charset=UTF-8"]},
        "metadata-description-content-type",
        None,
    ),
    ({"provides_extra": ["not valid"]}, "metadata-extra", "provides-extra"),
    ({"dynamic": ["name"]}, "metadata-dynamic", "dynamic"),
    ({"dynamic": ["colour"]}, "metadata-dynamic", "dynamic"),
    ({"license": ["MIT"], "license_expression": ["MIT"]}, "metadata-license", "license"),
    ({"license_expression": ["Use at will"]}, "metadata-license", "license-expression"),
    ({"license_file": ["../LICENSE"]}, "metadata-license-file", "license-file"),
    ({"license_file": ["/LICENSE"]}, "metadata-license-file", "license-file"),
    ({"license_file": ["C:/LICENSE"]}, "metadata-license-file", "license-file"),
    ({"license_file": ["a\\LICENSE"]}, "metadata-license-file", "license-file"),
    ({"license_file": ["LICEN*"]}, "metadata-license-file", "license-file"),
    ({"import_name": ["a.class"]}, "metadata-import-name", "import-name"),
    ({"import_namespace": ["a; public"]}, "metadata-import-name", "import-namespace"),
]


@pytest.mark.parametrize(
    ("fields", "code", "field"), REFUSED, ids=lambda value: value if isinstance(value, str) else None
)
def test_metadata_that_breaks_a_rule_is_refused_by_the_field_to_blame(fields, code, field):
    refused = refusal_of(fields)

    assert refused.code == code
    assert field in {None, refused.field}


TAKEN = [
    {},
    {"version": ["1!2.0rc1.post3.dev4"]},
    {"summary": ["s" * 512]},
    {"description": ["any\x0c\r\nlines\n"], "license": ["a\nb"]},
    {"author_email": ["Ann É <ann.o'neil@mail.example.com>, not an address"]},
    {"author_email": ['"Doe, (Jr) Ann" (she <s@x>) <ann@bücher.example>']},
    {"home_page": ["http:foo"], "download_url": ["HTTPS://[::1]:80/%20?q#f"]},
    {"project_urls": ["Home, https://example.com", "home, https://example.com/a,b"]},
    {"requires_dist": ['requests [socks] (>=2) ; python_version<"3.13"', "attrs==1.*"]},
    {"requires_external": ["C (>= 99)"], "requires": ["anything (>1)"]},
    {"requires_python": [">=3.9,<4"]},
    {"description_content_type": ['text/markdown; charset="utf-8"; variant=CommonMark']},
    {"description_content_type": ["Text/X-RST;charset=UTF-8"]},
    {"provides_extra": ["Extra_One"], "dynamic": ["requires-dist", "License"]},
    {"license_expression": ["mit or (apache-2.0 and LicenseRef-Own)"], "license_file": ["a/b.txt"]},
    {"import_name": ["a.b ; private"], "import_namespace": ["a"]},
    {"classifiers": ["Programming Language :: Python :: 3"]},
]


@pytest.mark.parametrize("fields", TAKEN, ids=lambda fields: next(iter(fields), "minimal"))
def test_metadata_that_follows_the_rules_is_taken(fields):
    validate(parse_form(GOOD | fields), allow_local_versions=False)


@pytest.mark.parametrize("version", METADATA_VERSIONS)
def test_every_version_of_the_specification_is_taken(version):
    validate(parse_form(GOOD | {"metadata_version": [version]}), allow_local_versions=False)


def test_an_index_may_take_local_versions_and_private_classifiers():
    private = {"version": ["1.0+local"], "classifiers": ["Private :: Do Not Upload"]}

    validate(parse_form(GOOD | private), allow_local_versions=True, allow_private_classifiers=True)


def test_one_error_is_reported_those_of_identity_first_then_alphabetically():
    wrong = {"summary": ["s" * 600], "home_page": ["x"], "author_email": ["x"], "version": ["x"], "name": ["-"]}

    reported = []
    while wrong:
        refused = refusal_of(wrong)
        reported.append(refused.field)
        del wrong[refused.field.replace("-", "_")]

    assert reported == ["name", "version", "author-email", "home-page", "summary"]


def test_messages_point_at_the_specification():
    assert "specifications/core-metadata" in refusal_of({"requires_dist": ["!"]}).message
    assert "local-version-identifiers" in refusal_of({"version": ["1+a"]}).message
    too_new = refusal_of({"metadata_version": ["1.0"], "classifiers": ["x"]}).message
    assert too_new.startswith("classifier introduced in metadata version 1.1, not 1.0")


def test_a_deprecated_classifier_is_refused_with_its_successor():
    message = refusal_of({"classifiers": ["Natural Language :: Ukranian"]}).message

    assert "deprecated" in message
    assert "Natural Language :: Ukrainian" in message


HOSTILE = ["(", '"', "\\", "a ", "1.", "==1,", "a@", "a or ", "x[", "a.", "%2", "a;", "<", "-"]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.label)
def test_long_hostile_text_in_any_field_is_answered(field, text):
    # A parser that recurses would crash here, and one that backtracks would not come back.
    for size in (100_000, min(field.max_length, 100_000)):
        with suppress(Refused):
            validate(parse_form(GOOD | {field.form_name: [(text * size)[:size]]}), allow_local_versions=True)
