"""Reading core metadata from METADATA or PKG-INFO, and from the upload form, into `CoreMetadata`.

What real tools have written is read as meant: ``UNKNOWN`` for nothing, folded descriptions (metadata 1.x), license
files before their time.  What cannot be read in one way only is kept as malformed, for `validate` to refuse.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import dedent
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from packhouse.specs import classifiers, names
from packhouse.specs.errors import Refused
from packhouse.specs.metadata.fields import BY_HEADER, BY_NAME, FIELDS, TOTAL_MAX_BYTES, CoreMetadata, Field, Kind

REASONS: dict[str, str] = {
    "metadata-not-utf8": "METADATA and PKG-INFO are UTF-8.",
    "metadata-malformed": "METADATA and PKG-INFO are headers of e-mail form, perhaps followed by a description.",
    "metadata-too-large": "Core metadata is bounded: 5 MiB in sum, and each field in length and number of values.",
}

_NAMED_BY_UV = ("import_names", "import_namespaces")
"""Fields that uv sends under the attribute's name."""

_HEADER = re.compile(r"([!-9;-~]+):(.*)", re.DOTALL)
_HEADER_MAX_LINES = 100_000
_BAR = " " * 7 + "|"
_MULTIPLE = {Kind.LIST, Kind.PAIRS}


def parse_embedded(raw: bytes) -> CoreMetadata:
    """Return what METADATA (wheel) or PKG-INFO (sdist) says.

    Raises `Refused`: ``metadata-too-large``, ``metadata-not-utf8``, ``metadata-malformed``.
    """
    if len(raw) > TOTAL_MAX_BYTES:
        raise _too_large(f"Core metadata has more than {TOTAL_MAX_BYTES} bytes.")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Refused("metadata-not-utf8", "The core metadata in the file is not UTF-8.") from error
    headers, body = _split(text)
    values: dict[str, list[str]] = {}
    unknown: list[tuple[str, str]] = []
    for header, value in headers:
        field = BY_HEADER.get(header.lower())
        if field is None:
            unknown.append((header, _one_line(value)))
        else:
            values.setdefault(field.name, []).append(_unfold(field, value))
    if body.strip():
        values.setdefault("description", []).append(body)
    return _build(values, unknown, empty_import_name=True)


def parse_form(fields: Mapping[str, Sequence[str]]) -> CoreMetadata:
    """Return what the upload form says; ``fields`` maps each name to its values in order.  Other names are ignored.

    Raises `Refused`: ``metadata-too-large``.
    """
    values: dict[str, list[str]] = {}
    for field in FIELDS:
        sent = [*fields.get(field.form_name, ()), *(fields.get(field.name, ()) if field.name in _NAMED_BY_UV else ())]
        if sent:
            values[field.name] = sent
    if sum(len(value) for sent in values.values() for value in sent) > TOTAL_MAX_BYTES:
        raise _too_large(f"The form's core metadata has more than {TOTAL_MAX_BYTES} characters.")
    return _build(values, (), empty_import_name=False)


def _split(text: str) -> tuple[list[tuple[str, str]], str]:
    """Return headers, folded lines still in their values, and the body after the first empty line."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    # A lone carriage return ends a line for some readers of e-mail and not for others: it could hide a header.
    if "\r" in head:
        raise Refused("metadata-malformed", "Core metadata has a carriage return without a line feed in its headers.")
    if head.count("\n") > _HEADER_MAX_LINES:
        raise _too_large(f"Core metadata has more than {_HEADER_MAX_LINES} lines of headers.")
    headers: list[tuple[str, list[str]]] = []
    for line in head.removesuffix("\n").split("\n"):
        if line.startswith((" ", "\t")) and headers:
            headers[-1][1].append(line)
            continue
        match = _HEADER.fullmatch(line)
        if match is None:
            raise Refused("metadata-malformed", f"Core metadata has a line that is no header: {names.shorten(line)!r}.")
        headers.append((match[1], [match[2]]))
    return [(name, "\n".join(folded)) for name, folded in headers], body


def _unfold(field: Field, value: str) -> str:
    """Take the indentation from further lines: seven spaces and a bar (metadata 1.2), or whatever they all share."""
    first, line_end, rest = value.partition("\n")
    if field.kind is not Kind.TEXT or not line_end:
        return value.strip()
    further = rest.split("\n")
    if all(line.startswith(_BAR) for line in further):
        return "\n".join([first.strip(), *(line.removeprefix(_BAR) for line in further)])
    return f"{first.strip()}\n{dedent(rest)}"


def _build(
    values: Mapping[str, list[str]], unknown: Iterable[tuple[str, str]], *, empty_import_name: bool
) -> CoreMetadata:
    """Sanitise, cap and shape the raw values of each field."""
    shaped: dict[str, Any] = {}
    malformed: list[tuple[str, str]] = []
    for name, sent in values.items():
        field = BY_NAME[name]
        cleaned = [_clean(field, value) for value in sent if value.strip() != "UNKNOWN"]
        if not (empty_import_name and name == "import_names" and cleaned == [""]):
            cleaned = [value for value in cleaned if value]
        _check_size(field, cleaned)
        # Readers differ in which one they take, even where one is empty.
        if len(sent) > 1 and field.kind not in _MULTIPLE:
            malformed.append((name, f"{field.label!r} has invalid data: it stands more than once"))
        elif cleaned:
            shaped[name] = _shape(field, cleaned)
    if shaped.get("metadata_version") in BY_NAME["license_files"].is_newer_than:
        # Setuptools wrote License-File years before metadata 2.4 gave it a meaning.
        unknown = [*unknown, *(("License-File", path) for path in shaped.pop("license_files", ()))]
    return CoreMetadata(**shaped, malformed=tuple(malformed), unknown=tuple(unknown))


def _clean(field: Field, value: str) -> str:
    """No database holds NUL, and only two fields have lines; a summary of several lines is an error to report."""
    value = value.replace("\x00", "\\x00")
    if field.kind is Kind.TEXT:
        return value if value.strip() else ""
    return value.strip() if field.name == "summary" else _one_line(value)


def _one_line(value: str) -> str:
    return " ".join(part.strip() for part in value.replace("\t", " ").replace("\r", "\n").split("\n")).strip()


def _check_size(field: Field, values: list[str]) -> None:
    if field.kind in _MULTIPLE and len(values) > field.max_count:
        raise _too_large(f"{field.label!r} has more than {field.max_count} values.", field.label)
    if field.kind in _MULTIPLE and sum(map(len, values)) > field.max_total:
        raise _too_large(f"{field.label!r} has more than {field.max_total} characters in sum.", field.label)
    if any(len(value) > field.max_length for value in values):
        raise _too_large(f"{field.label!r} has more than {field.max_length} characters.", field.label)


def _too_large(message: str, field: str | None = None) -> Refused:
    return Refused("metadata-too-large", message, field=field)


def _shape(field: Field, values: list[str]) -> str | tuple[str, ...] | tuple[tuple[str, str], ...]:
    """Return the attribute for a field's values, normalised where valid."""
    if field.kind is Kind.KEYWORDS:
        return tuple(word for word in map(str.strip, values[0].split(",")) if word)
    if field.kind is Kind.PAIRS:
        return tuple(_pair(value) for value in values)
    if field.name in _NORMALISED_LISTS:
        return _NORMALISED_LISTS[field.name](values)
    if field.name == "license_expression":
        return _license_expression(values[0])
    return tuple(values) if field.kind is Kind.LIST else values[0]


def _pair(value: str) -> tuple[str, str]:
    label, _, url = value.partition(",")
    return label.strip(), url.strip()


def _license_expression(value: str) -> str:
    try:
        return canonicalize_license_expression(value)
    except (InvalidLicenseExpression, RecursionError):
        return value


def _extras(values: list[str]) -> tuple[str, ...]:
    normal = (names.normalize(value) if names.is_valid_name(value) else value for value in values)
    return tuple(dict.fromkeys(normal))


def _dynamic(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.title() for value in values))


_NORMALISED_LISTS = {"provides_extra": _extras, "dynamic": _dynamic, "classifiers": classifiers.in_order}
