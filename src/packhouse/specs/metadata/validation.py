"""The rules that an index puts on core metadata, whichever place it comes from."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.requirements import InvalidRequirement, Requirement

from packhouse.specs import classifiers, emails, names, urls, versions
from packhouse.specs.errors import Refused
from packhouse.specs.metadata.fields import IN_ORDER_OF_REPORT, METADATA_VERSIONS, REQUIRED, CoreMetadata, Field, Kind

SUMMARY_MAX_LENGTH = 512
LABEL_MAX_LENGTH = 32

REASONS: dict[str, str] = {
    "metadata-version-unsupported": f"The metadata version is one of {', '.join(METADATA_VERSIONS)}.",
    "metadata-field-missing": "Core metadata has a metadata version, a name and a version.",
    "metadata-field-repeated": "A field of a single value stands once.",
    "metadata-field-too-new": "No field is newer than the metadata version that is declared.",
    "metadata-control-character": "Core metadata holds no control characters; only description and license have lines.",
    "metadata-summary": f"A summary is one line of at most {SUMMARY_MAX_LENGTH} characters.",
    "metadata-email": "The first address of author and maintainer is an e-mail address with a dotted domain.",
    "metadata-classifier": "Classifiers are those of the current list; 'Private ::' ones where the index allows them.",
    "metadata-url": "Home page and download URL are http or https.",
    "metadata-project-url": f"Each project URL is http or https and has a label of its own, up to {LABEL_MAX_LENGTH}"
    " characters long.",
    "metadata-requirement": "Requirements are dependency specifiers (PEP 508).",
    "metadata-direct-reference": "Requirements do not point at URLs: installers take files from the index alone.",
    "metadata-requires-python": "Requires-Python is a set of version specifiers (PEP 440).",
    "metadata-description-content-type": "The description is text/plain, text/x-rst or text/markdown (GFM or"
    " CommonMark), in UTF-8.",
    "metadata-extra": "Extras are valid names.",
    "metadata-dynamic": "Dynamic names known fields, and neither name, version nor metadata version.",
    "metadata-license": "License-Expression is a valid SPDX expression, and stands without License.",
    "metadata-license-file": "License files are paths inside the distribution, relative, with '/' separators.",
    "metadata-import-name": "Import names are dotted identifiers, perhaps followed by '; private'.",
    "metadata-local-version": "Public indexes take no local versions (what follows a '+').",
}

_SPECIFICATION = "https://packaging.python.org/specifications/core-metadata/"
_LOCAL_VERSIONS = "https://packaging.python.org/specifications/version-specifiers/#local-version-identifiers"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_PARAMETER = re.compile(r"""; *([\w-]+) *= *(?:"([^"\\]*)"|([^\s;"]+)) *""", re.ASCII)
_CONTENT_TYPE = re.compile(rf"([\w/-]+) *((?:{_PARAMETER.pattern})*)", re.ASCII)
_LINE_ENDS = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class _Policy:
    """What an index decides for itself."""

    allow_local_versions: bool
    allow_private_classifiers: bool


_Check = Callable[[Field, CoreMetadata, _Policy], None]


def validate(metadata: CoreMetadata, *, allow_local_versions: bool, allow_private_classifiers: bool = False) -> None:
    """Raise `Refused` for the first field that breaks a rule: metadata version, name, version, then alphabetically.

    ``code`` is in `REASONS` of this module, `names` or `versions`; ``field`` is the header in lower case.
    """
    policy = _Policy(allow_local_versions, allow_private_classifiers)
    malformed = dict(metadata.malformed)
    for field in IN_ORDER_OF_REPORT:
        if field.name in malformed:
            _refuse("metadata-field-repeated", field, malformed[field.name])
        if not getattr(metadata, field.name):
            _check_required(field)
            continue
        _check_age(field, metadata)
        _check_characters(field, metadata)
        if field.name in _CHECKS:
            _CHECKS[field.name](field, metadata, policy)


def _refuse(code: str, field: Field, message: str, *, see: str = _SPECIFICATION) -> NoReturn:
    raise Refused(code, f"{message.rstrip('.')}. See {see} for more information.", field=field.label)


def _refuse_value(code: str, field: Field, value: str, why: str = "") -> NoReturn:
    _refuse(code, field, f"{names.shorten(value)!r} is invalid for {field.label!r}{why and ': '}{why}")


def _check_required(field: Field) -> None:
    if field.name in REQUIRED:
        _refuse("metadata-field-missing", field, f"{field.label!r} is a required field")


def _check_age(field: Field, metadata: CoreMetadata) -> None:
    declared = metadata.metadata_version
    if declared in field.is_newer_than:
        message = f"{field.label} introduced in metadata version {field.added}, not {declared}"
        _refuse("metadata-field-too-new", field, message)


def _check_characters(field: Field, metadata: CoreMetadata) -> None:
    forbidden = _SURROGATE if field.kind is Kind.TEXT else _CONTROL
    for value in _texts(getattr(metadata, field.name)):
        if field.name == "summary" and _LINE_ENDS.search(value):
            _refuse("metadata-summary", field, "'summary' must be a single line")
        if forbidden.search(value):
            _refuse("metadata-control-character", field, f"{field.label!r} has a control character")


def _texts(value: str | tuple[Any, ...]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    for part in value:
        yield from _texts(part)


def _check_metadata_version(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    if metadata.metadata_version not in METADATA_VERSIONS:
        message = f"{metadata.metadata_version!r} is not a valid metadata version"
        _refuse("metadata-version-unsupported", field, message)


def _check_name(_: Field, metadata: CoreMetadata, __: _Policy) -> None:
    names.check_name(metadata.name)


def _check_version(field: Field, metadata: CoreMetadata, policy: _Policy) -> None:
    version = versions.parse(metadata.version)
    if version.local is not None and not policy.allow_local_versions:
        message = f"The use of local versions in {metadata.version!r} is not allowed"
        _refuse("metadata-local-version", field, message, see=_LOCAL_VERSIONS)


def _check_summary(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    if len(metadata.summary) > SUMMARY_MAX_LENGTH:
        _refuse("metadata-summary", field, f"'summary' field must be {SUMMARY_MAX_LENGTH} characters or less")


def _check_email(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    value = getattr(metadata, field.name)
    if not emails.is_valid_address(emails.first_address(value) or ""):
        _refuse_value("metadata-email", field, value)


def _check_classifiers(field: Field, metadata: CoreMetadata, policy: _Policy) -> None:
    for classifier in metadata.classifiers:
        problem = classifiers.problem(classifier, allow_private=policy.allow_private_classifiers)
        if problem is not None:
            _refuse("metadata-classifier", field, problem)


def _check_url(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    value = getattr(metadata, field.name)
    if not urls.is_valid_uri(value):
        _refuse_value("metadata-url", field, value, "not an http or https URL")


def _check_project_urls(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    seen = set()
    for label, url in metadata.project_urls:
        why = _problem_of_project_url(label, url)
        if label in seen:
            why = "its label stands more than once"
        if why:
            _refuse_value("metadata-project-url", field, f"{label}, {url}", why)
        seen.add(label)


def _problem_of_project_url(label: str, url: str) -> str:
    if not label:
        return "it has no label"
    if len(label) > LABEL_MAX_LENGTH:
        return f"its label has more than {LABEL_MAX_LENGTH} characters"
    if not url:
        return "it has no URL"
    return "" if urls.is_valid_uri(url) else "not an http or https URL"


def _check_requirements(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    for value in getattr(metadata, field.name):
        try:
            requirement = Requirement(value)
        except (InvalidRequirement, RecursionError):
            _refuse_value("metadata-requirement", field, value)
        if requirement.url is not None:
            _refuse("metadata-direct-reference", field, f"Can't have direct dependency: {names.shorten(value)}")


def _check_license(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    if metadata.license_expression:
        message = "License is deprecated when License-Expression is present. Only License-Expression should be present"
        _refuse("metadata-license", field, message)


def _check_license_expression(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    try:
        canonicalize_license_expression(metadata.license_expression)
    except (InvalidLicenseExpression, RecursionError) as error:
        _refuse_value("metadata-license", field, metadata.license_expression, str(error))


def _check_extras(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    for extra in metadata.provides_extra:
        if not names.is_valid_name(extra):
            _refuse_value("metadata-extra", field, extra)


def _check_import_names(field: Field, metadata: CoreMetadata, policy: _Policy) -> None:
    if getattr(metadata, field.name) != ("",):
        _check_as_packaging_does("metadata-import-name")(field, metadata, policy)


def _check_content_type(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
    code, value = "metadata-description-content-type", metadata.description_content_type
    match = _CONTENT_TYPE.fullmatch(value)
    # The standard library's parser recurses for each bracket and forgives too much.
    parameters = _PARAMETER.findall(match[2]) if match else []
    options = {name.lower(): quoted or token for name, quoted, token in parameters}
    if match is None or len(options) < len(parameters) or not _is_known_content_type(match[1].lower(), options):
        _refuse_value(code, field, value, REASONS[code])


def _is_known_content_type(content_type: str, options: dict[str, str]) -> bool:
    if content_type not in {"text/plain", "text/x-rst", "text/markdown"}:
        return False
    if content_type == "text/markdown" and options.get("variant", "GFM") not in {"GFM", "CommonMark"}:
        return False
    return options.get("charset", "UTF-8").upper() == "UTF-8"


def _check_as_packaging_does(code: str) -> _Check:
    def check(field: Field, metadata: CoreMetadata, _: _Policy) -> None:
        value = getattr(metadata, field.name)
        raw: RawMetadata = {field.name: list(value) if isinstance(value, tuple) else value}  # type: ignore[misc]
        try:
            getattr(Metadata.from_raw(raw, validate=False), field.name)
        except InvalidMetadata as error:
            _refuse(code, field, str(error))

    return check


_CHECKS: dict[str, _Check] = {
    "metadata_version": _check_metadata_version,
    "name": _check_name,
    "version": _check_version,
    "author_email": _check_email,
    "classifiers": _check_classifiers,
    "description_content_type": _check_content_type,
    "download_url": _check_url,
    "dynamic": _check_as_packaging_does("metadata-dynamic"),
    "home_page": _check_url,
    "import_names": _check_import_names,
    "import_namespaces": _check_as_packaging_does("metadata-import-name"),
    "license": _check_license,
    "license_expression": _check_license_expression,
    "license_files": _check_as_packaging_does("metadata-license-file"),
    "maintainer_email": _check_email,
    "obsoletes_dist": _check_requirements,
    "project_urls": _check_project_urls,
    "provides_dist": _check_requirements,
    "provides_extra": _check_extras,
    "requires_dist": _check_requirements,
    "requires_python": _check_as_packaging_does("metadata-requires-python"),
    "summary": _check_summary,
}
