"""The fields of core metadata: their names in the three places where they are written, since when, and how large."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from packhouse.specs.names import NAME_MAX_LENGTH

METADATA_VERSIONS: tuple[str, ...] = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6")
"""The versions of the specification that are taken, oldest first."""

TOTAL_MAX_BYTES = 5 * 1024 * 1024
"""UTF-8 bytes of all fields together, the description included."""

REASONS: dict[str, str] = {
    "metadata-mismatch": "What the upload form says of a file agrees with the metadata inside the file.",
}


class Kind(Enum):
    """How often a field may stand, and what its text may hold."""

    LINE = "one value on one line"
    TEXT = "one value of any lines"
    KEYWORDS = "one value, separated by commas"
    LIST = "any number of values, each on one line"
    PAIRS = "any number of values, each 'Label, URL'"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the specification."""

    name: str
    """The attribute of `CoreMetadata`."""
    header: str
    """The name in METADATA, as the specification writes it."""
    added: str = "1.0"
    """The metadata version that introduced it."""
    kind: Kind = Kind.LINE
    form: str = ""
    """The name in the upload form, if it is not that of the attribute."""
    max_length: int = 4096
    """Characters of one value."""
    max_count: int = 2000
    """Number of values."""
    max_total: int = 262_144
    """Characters of all values of a list together: what parses slowly stays below a second."""

    @property
    def form_name(self) -> str:
        """The name in the upload form."""
        return self.form or self.name

    @property
    def json_name(self) -> str:
        """The name in the JSON form of PEP 566, e.g. ``requires_dist``."""
        return self.header.lower().replace("-", "_")

    @property
    def label(self) -> str:
        """The name in messages, e.g. ``requires-dist``."""
        return self.header.lower()

    @property
    def is_newer_than(self) -> frozenset[str]:
        """The metadata versions that do not know the field."""
        return frozenset(METADATA_VERSIONS[: METADATA_VERSIONS.index(self.added)])


FIELDS: tuple[Field, ...] = (
    Field("metadata_version", "Metadata-Version", max_length=20),
    # Their own rules explain how long a name or version may be.
    Field("name", "Name"),
    Field("version", "Version"),
    Field("platforms", "Platform", kind=Kind.LIST, form="platform"),
    Field("summary", "Summary"),
    Field("description", "Description", kind=Kind.TEXT, max_length=TOTAL_MAX_BYTES),
    Field("keywords", "Keywords", kind=Kind.KEYWORDS, max_length=32_768),
    Field("home_page", "Home-page"),
    Field("author", "Author", max_length=32_768),
    Field("author_email", "Author-email", max_length=32_768),
    # Whole licence texts of bundled libraries stand here.
    Field("license", "License", kind=Kind.TEXT, max_length=1_048_576),
    Field("supported_platforms", "Supported-Platform", "1.1", Kind.LIST, form="supported_platform"),
    Field("download_url", "Download-URL", "1.1"),
    Field("classifiers", "Classifier", "1.1", Kind.LIST, max_length=512, max_count=1000),
    Field("requires", "Requires", "1.1", Kind.LIST),
    Field("provides", "Provides", "1.1", Kind.LIST),
    Field("obsoletes", "Obsoletes", "1.1", Kind.LIST),
    Field("maintainer", "Maintainer", "1.2", max_length=32_768),
    Field("maintainer_email", "Maintainer-email", "1.2", max_length=32_768),
    Field("requires_python", "Requires-Python", "1.2", max_length=1024),
    Field("requires_dist", "Requires-Dist", "1.2", Kind.LIST, max_length=2048, max_count=3000),
    Field("provides_dist", "Provides-Dist", "1.2", Kind.LIST, max_length=2048, max_count=500),
    Field("obsoletes_dist", "Obsoletes-Dist", "1.2", Kind.LIST, max_length=2048, max_count=500),
    Field("requires_external", "Requires-External", "1.2", Kind.LIST),
    Field("project_urls", "Project-URL", "1.2", Kind.PAIRS, max_count=500),
    Field("description_content_type", "Description-Content-Type", "2.1", max_length=256),
    Field("provides_extra", "Provides-Extra", "2.1", Kind.LIST, max_length=NAME_MAX_LENGTH),
    Field("dynamic", "Dynamic", "2.2", Kind.LIST, max_length=64, max_count=200),
    Field("license_expression", "License-Expression", "2.4", max_length=2048),
    Field("license_files", "License-File", "2.4", Kind.LIST, form="license_file", max_length=1024),
    Field("import_names", "Import-Name", "2.5", Kind.LIST, form="import_name", max_length=512),
    Field("import_namespaces", "Import-Namespace", "2.5", Kind.LIST, form="import_namespace", max_length=512),
)
"""Every field of the specification, in its order."""

BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}
BY_HEADER: dict[str, Field] = {field.label: field for field in FIELDS}

REQUIRED = ("metadata_version", "name", "version")
"""The fields, by attribute, without which nothing is core metadata."""

IN_ORDER_OF_REPORT: tuple[Field, ...] = tuple(
    sorted(
        FIELDS, key=lambda field: (REQUIRED.index(field.name) if field.name in REQUIRED else len(REQUIRED), field.label)
    )
)
"""Only one error is reported: of metadata version, name, version, then alphabetically."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMetadata:
    """What a distribution says about itself.  Absent single values are empty strings, absent lists empty tuples.

    Values are stored in the form that their specification calls normalised, wherever they have one: extras (PEP 685),
    license expression (PEP 639), dynamic in title case, classifiers in the order of their list.  Invalid ones are kept
    as sent, for `validate` to name.
    """

    metadata_version: str = ""
    name: str = ""
    version: str = ""
    platforms: tuple[str, ...] = ()
    summary: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    home_page: str = ""
    author: str = ""
    author_email: str = ""
    license: str = ""
    supported_platforms: tuple[str, ...] = ()
    download_url: str = ""
    classifiers: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    obsoletes: tuple[str, ...] = ()
    maintainer: str = ""
    maintainer_email: str = ""
    requires_python: str = ""
    requires_dist: tuple[str, ...] = ()
    provides_dist: tuple[str, ...] = ()
    obsoletes_dist: tuple[str, ...] = ()
    requires_external: tuple[str, ...] = ()
    project_urls: tuple[tuple[str, str], ...] = ()
    """Pairs of label and URL."""
    description_content_type: str = ""
    provides_extra: tuple[str, ...] = ()
    dynamic: tuple[str, ...] = ()
    license_expression: str = ""
    license_files: tuple[str, ...] = ()
    import_names: tuple[str, ...] = ()
    """One empty string says that the project provides no import names (PEP 794); nothing says nothing."""
    import_namespaces: tuple[str, ...] = ()
    malformed: tuple[tuple[str, str], ...] = ()
    """Fields that could not be read, by attribute, with the reason; `validate` refuses them."""
    unknown: tuple[tuple[str, str], ...] = ()
    """Headers of the file that no specification knows, with their values."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form of PEP 566 without the description: present fields only, lists where a field may repeat.

        The names are those of the headers in lower case with underscores: ``classifier``, ``project_url`` (each
        ``"Label, URL"``), ``requires_dist``, ``license_file``; ``keywords`` is a list.
        """
        shape: dict[str, Any] = {}
        for field in FIELDS:
            value = getattr(self, field.name)
            if not value or field.name == "description":
                continue
            if field.kind is Kind.PAIRS:
                shape[field.json_name] = [f"{label}, {url}" for label, url in value]
            else:
                shape[field.json_name] = value if isinstance(value, str) else list(value)
        return shape
