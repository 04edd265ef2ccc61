"""Whether the upload form agrees with the metadata inside the file.

Installers read the file, people read what the index shows: where the two may differ, somebody is deceived.  Uploaders
spell the same thing differently, so each field is compared as its specification normalises it.
"""

from collections.abc import Callable, Hashable
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from packhouse.specs.errors import Refused
from packhouse.specs.metadata.fields import IN_ORDER_OF_REPORT, REQUIRED, CoreMetadata, Field
from packhouse.specs.names import normalize

_NOT_COMPARED = frozenset({
    # Flit declares one version in every form and another in the file; the file's is the one that counts.
    "metadata_version",
    # Nothing reads the three fields that PEP 345 replaced; flit sends "provides" in forms only.
    "requires",
    "provides",
    "obsoletes",
})  # fmt: skip


def compare(form: CoreMetadata, embedded: CoreMetadata) -> None:
    """Raise `Refused` (``metadata-mismatch``) for the first field in which ``form`` says something else than the file.

    A field that the form leaves out agrees, except metadata version, name and version.  Both are validated elsewhere.
    """
    for field in IN_ORDER_OF_REPORT:
        told = getattr(form, field.name)
        if field.name in REQUIRED and not told:
            _refuse(field, "is missing in the upload form")
        written = getattr(embedded, field.name)
        # Nearly all uploaders copy the file's text: only others need the slower normal forms.
        if not told or told == written or field.name in _NOT_COMPARED:
            continue
        if _normal(field, told) != _normal(field, written):
            _refuse(field, "differs between the upload form and the metadata in the file")


def _refuse(field: Field, what: str) -> None:
    raise Refused("metadata-mismatch", f"{field.header} {what}.", field=field.label)


def _normal(field: Field, value: Any) -> Hashable:
    """Return the form in which two spellings of one meaning are equal; the order of lists has no meaning."""
    normal = _NORMAL_FORMS.get(field.name, _words)
    return normal(value) if isinstance(value, str) else frozenset(map(normal, value))


def _words(value: Any) -> Hashable:
    """Spaces and line ends differ by how a client unfolds headers."""
    return tuple(value.split()) if isinstance(value, str) else tuple(map(_words, value))


def _squeezed(value: str) -> Hashable:
    return "".join(value.split())


def _version(value: str) -> Hashable:
    try:
        return Version(value)
    except InvalidVersion:
        return value


def _requirement(value: str) -> Hashable:
    try:
        return Requirement(value)
    except (InvalidRequirement, RecursionError):
        return _squeezed(value)


def _specifiers(value: str) -> Hashable:
    try:
        return SpecifierSet(value)
    except InvalidSpecifier:
        return _squeezed(value)


def _description(value: str) -> Hashable:
    """Some uploaders keep the bars that metadata 1.x put before each further line."""
    return _words(value.replace("\n       |", "\n"))


_NORMAL_FORMS: dict[str, Callable[[Any], Hashable]] = {
    "name": normalize,
    "version": _version,
    "requires_python": _specifiers,
    "requires_dist": _requirement,
    "provides_dist": _requirement,
    "obsoletes_dist": _requirement,
    "description": _description,
    "dynamic": str.lower,
    "import_names": _squeezed,
    "import_namespaces": _squeezed,
}
