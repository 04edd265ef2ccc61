"""Projects → entries and their tokens.  A few queries for some hundreds of projects."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import log2
from typing import Any, Final, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from packhouse.base import bulk
from packhouse.projects.models import Description, File, Project, Release
from packhouse.search import analysis
from packhouse.search.engines import Indexed
from packhouse.search.known_imports import KNOWN_IMPORTS
from packhouse.search.models import Downloads, Entry, Facet

DESCRIPTION_LENGTH: Final = 6000
"""Characters of a description that are searched: what a project is for is said at the beginning."""
TOP_DOWNLOADS: Final = 10_000
"""Downloads in 30 days from which on an entry counts as much downloaded."""
PYTHONS: Final = tuple(f"3.{minor}" for minor in range(7, 16))
SPDX: Final = {
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    "The Unlicense (Unlicense)": "Unlicense",
    "zlib/libpng License": "Zlib",
    "Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    "Universal Permissive License (UPL)": "UPL-1.0",
    "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    "GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Affero General Public License v3": "AGPL-3.0-only",
    "GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
}
"""Licences whose classifier says as much as their SPDX identifier; the others say less (which version, which BSD)."""
_PYTHON = "Programming Language :: Python :: "
_LICENSE = "License :: "
_MOST_POPULAR = 65_535

FacetKey = tuple[str, str]
_CLASSIFIER_KIND: Final = Facet.Kind.CLASSIFIER.value
_PYTHON_KIND: Final = Facet.Kind.PYTHON.value
_LICENSE_KIND: Final = Facet.Kind.LICENSE.value
_WHEELS: FacetKey = (Facet.Kind.HAS.value, "wheels")


COLUMNS: Final = tuple(field.name for field in Entry._meta.concrete_fields)


def row(entry: Entry) -> tuple[Any, ...]:
    """*entry* as ``bulk.insert`` takes it, in the order of ``COLUMNS``."""
    values = [getattr(entry, name) for name in COLUMNS]
    return tuple(bulk.moment(value) if isinstance(value, datetime) else value for value in values)


class _Project(NamedTuple):
    id: int
    name: str
    normalized_name: str
    created: datetime
    status: str


class _Latest(NamedTuple):
    """The release that stands for a project."""

    id: int
    version: str
    summary: str
    requires_python: str
    metadata: dict[str, Any]


class _Release(NamedTuple):
    project_id: int
    id: int
    sort_key: bytes
    is_prerelease: bool
    yanked: bool
    created: datetime

    @property
    def rank(self) -> tuple[bool, bool, bytes]:
        """The greatest is what people mean by the project: not yanked, final, newest."""
        return (not self.yanked, not self.is_prerelease, bytes(self.sort_key))


@dataclass(slots=True)
class Made:
    """An entry that is not stored yet, its facets by kind and value, and the texts it is found by.

    ``earlier`` are the classifiers of its other releases.
    """

    entry: Entry
    facets: list[FacetKey]
    texts: list[str]
    earlier: list[FacetKey]

    def indexed(self, ids: dict[FacetKey, int]) -> Indexed:
        """Gives the entry its facets' ids, and returns its tokens."""
        chosen = array("I", sorted({ids[key] for key in self.facets}))
        self.entry.facets = facets = chosen.tobytes()
        entry = self.entry
        marks = ["k:all", *analysis.name_tokens(entry.name), *analysis.import_tokens(entry.import_names.split())]
        marks += [f"f:{number}" for number in chosen]
        marks += [f"o:{number}" for number in sorted({ids[key] for key in self.earlier}.difference(chosen))]
        marks += [*analysis.month_tokens("u", entry.updated), *analysis.month_tokens("b", entry.created)]
        if entry.downloads >= TOP_DOWNLOADS:
            marks.append("k:top")
        text = [token for part in self.texts for token in analysis.stems(part)]
        return Indexed(entry.place, text, marks, facets)


def place_of(project_id: int, downloads: int) -> int:
    """Where an entry stands: by downloads, in steps that grow with them, then by age of the project."""
    return (_MOST_POPULAR - popularity(downloads)) << 40 | project_id


def popularity(downloads: int) -> int:
    """0 to some 40,000, by 1,000 for each doubling."""
    return min(_MOST_POPULAR, round(1000 * log2(1 + max(0, downloads))))


def make(ids: Sequence[int]) -> list[Made]:
    """The entries that the projects *ids* (some hundreds) should have: none without a release, none in quarantine."""
    listed = Project.objects.filter(pk__in=ids).exclude(status=Project.Status.QUARANTINED)
    projects = {row[0]: _Project._make(row) for row in listed.values_list(*_Project._fields)}
    latest, updated = _latest(projects)
    chosen = Release.objects.filter(pk__in=[release.id for release in latest.values()])
    releases = {row[0]: _Latest._make(row) for row in chosen.values_list(*_Latest._fields)}
    descriptions = dict(Description.objects.filter(pk__in=releases).values_list("pk", "raw"))
    wheels = set(
        File.objects.filter(release_id__in=releases, packagetype=File.PackageType.WHEEL)
        .values_list("release_id", flat=True)
        .distinct()
    )
    downloads = dict(Downloads.objects.filter(pk__in=projects).values_list("project_id", "count"))
    carried = _carried(latest)
    return [
        _made(
            projects[project_id],
            releases[release.id],
            descriptions.get(release.id, ""),
            has_wheels=release.id in wheels,
            updated=updated[project_id],
            downloads=downloads.get(project_id, 0),
            carried=carried.get(project_id, ()),
        )
        for project_id, release in sorted(latest.items())
        if release.id in releases
    ]


def _latest(projects: Iterable[int]) -> tuple[dict[int, _Release], dict[int, datetime]]:
    """The release that stands for each project, and when each was last published to."""
    latest: dict[int, _Release] = {}
    updated: dict[int, datetime] = {}
    columns = ("project_id", "id", "sort_key", "is_prerelease", "yanked", "created")
    rows = Release.objects.filter(project_id__in=list(projects), quarantined=False).values_list(*columns)
    for release in map(_Release._make, rows):
        key = release.project_id
        updated[key] = max(updated.get(key, release.created), release.created)
        if key not in latest or release.rank > latest[key].rank:
            latest[key] = release
    return latest, updated


def _carried(projects: Iterable[int]) -> dict[int, set[str]]:
    """The classifiers of all releases of each project.  Most lists are alike: the database leaves out what is."""
    carried: dict[int, set[str]] = {}
    listed = Release.objects.filter(project_id__in=list(projects), quarantined=False).order_by()
    for project_id, classifiers in listed.values_list("project_id", "metadata__classifier").distinct():
        carried.setdefault(project_id, set()).update(_many({"classifier": classifiers}, "classifier"))
    return carried


def _made(
    project: _Project,
    release: _Latest,
    description: str,
    *,
    has_wheels: bool,
    updated: datetime,
    downloads: int,
    carried: Iterable[str],
) -> Made:
    metadata = release.metadata
    keywords = ", ".join(_many(metadata, "keywords"))
    imports = import_names(project.normalized_name, metadata)
    entry = Entry(
        place=place_of(project.id, downloads),
        project_id=project.id,
        name=project.name,
        normalized_name=project.normalized_name,
        compact=analysis.compact(project.name),
        version=release.version,
        summary=release.summary,
        keywords=keywords[:2000],
        import_names=" ".join(imports),
        downloads=downloads,
        created=project.created,
        updated=updated,
        archived=project.status == Project.Status.ARCHIVED,
    )
    classifiers = tuple(_many(metadata, "classifier"))
    license_name = _license(metadata, classifiers)
    facets = list(_facets(classifiers, license_name, release.requires_python, has_wheels=has_wheels))
    names = " ".join(analysis.name_words(project.name))
    texts = [names, release.summary, keywords, " ".join(imports), description[:DESCRIPTION_LENGTH]]
    earlier = [(_CLASSIFIER_KIND, classifier) for classifier in carried]
    return Made(entry, facets, texts, earlier)


def import_names(normalized_name: str, metadata: dict[str, Any]) -> list[str]:
    """What the project is imported as: what it declares (PEP 794), else what is known of projects older than that.

    Names marked private are left out.
    """
    declared = _many(metadata, "import_name") + _many(metadata, "import_namespace")
    public = [
        name.strip() for name, _, marker in (entry.partition(";") for entry in declared) if marker.strip() != "private"
    ]
    return [name for name in public if name] if declared else list(KNOWN_IMPORTS.get(normalized_name, ()))


def _facets(
    classifiers: tuple[str, ...], license_name: str, requires_python: str, *, has_wheels: bool
) -> Iterable[FacetKey]:
    for classifier in classifiers:
        yield from _with_parents(classifier)
    for version in _pythons(requires_python, () if requires_python else classifiers):
        yield _PYTHON_KIND, version
    if license_name:
        yield _LICENSE_KIND, license_name
    if has_wheels:
        yield _WHEELS


@lru_cache(maxsize=4096)
def _with_parents(classifier: str) -> tuple[FacetKey, ...]:
    steps = classifier.split(" :: ")
    return tuple((_CLASSIFIER_KIND, " :: ".join(steps[:depth])) for depth in range(1, len(steps) + 1))


@lru_cache(maxsize=4096)
def _pythons(requires_python: str, classifiers: tuple[str, ...]) -> tuple[str, ...]:
    """The versions of Python that a release says it runs on; by its classifiers where it sets no bounds."""
    if not requires_python:
        return tuple(version for version in PYTHONS if f"{_PYTHON}{version}" in classifiers)
    try:
        bounds = SpecifierSet(requires_python)
    except InvalidSpecifier:
        return ()
    return tuple(version for version in PYTHONS if bounds.contains(f"{version}.0") or bounds.contains(f"{version}.30"))


def _license(metadata: dict[str, Any], classifiers: Sequence[str]) -> str:
    """The SPDX expression, else the licence's name in its classifier."""
    expression = metadata.get("license_expression")
    if isinstance(expression, str) and expression:
        return expression[:200]
    named = [classifier for classifier in classifiers if classifier.startswith(_LICENSE)]
    name = max(named, key=lambda name: name.count(" :: ")).rpartition(" :: ")[2] if named else ""
    return SPDX.get(name, name)


def _many(metadata: dict[str, Any], field: str) -> list[str]:
    value = metadata.get(field) or []
    return [value] if isinstance(value, str) else [str(item) for item in value]


def facet_ids(keys: Iterable[FacetKey]) -> dict[FacetKey, int]:
    """The ids of facets, from the database; those that do not exist yet are missing."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for kind, value in keys:
        by_kind[kind].append(value)
    found: dict[FacetKey, int] = {}
    for kind, values in by_kind.items():
        rows = Facet.objects.filter(kind=kind, value__in=values).values_list("value", "pk")
        found.update({(kind, value): pk for value, pk in rows})
    return found
