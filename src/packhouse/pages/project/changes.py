"""What is different between two releases: what they say of themselves, and their files."""

from dataclasses import dataclass
from typing import Any, Final

from packhouse.pages.project.tags import tags_of
from packhouse.projects.models import File, Release

MOST_FILES: Final = 200
MOST_LENGTH: Final = 400
SILENT: Final = frozenset({"metadata_version", "name", "version", "description_content_type", "license_file"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of core metadata that differs; for a field of many values ``before`` and ``after`` hold those that
    only one of the releases has."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A kind of file (``source`` or a wheel's tags) with its sizes in bytes, None where there is none."""

    kind: str
    before: int | None
    after: int | None

    @property
    def growth(self) -> int | None:
        """By how many percent it grew, where both releases have it."""
        if not self.before or self.after is None:
            return None
        return round(100 * (self.after - self.before) / self.before)


def metadata_changes(before: Release, after: Release) -> list[Difference]:
    """The fields that differ, in the order of the specification."""
    old, new = before.metadata, after.metadata
    names = [name for name in dict.fromkeys([*old, *new]) if name not in SILENT]
    differences = [_difference(name, old.get(name), new.get(name)) for name in names]
    return [found for found in differences if found.before or found.after]


def file_changes(before: Release, after: Release) -> tuple[list[FileChange], bool]:
    """The files of both by kind; also whether there are more than are shown.  Two queries."""
    old, new = _sizes(before), _sizes(after)
    kinds = sorted({**old, **new}, key=lambda kind: (kind != "source", kind))
    changes = [FileChange(kind, old.get(kind), new.get(kind)) for kind in kinds]
    return changes[:MOST_FILES], len(old) >= MOST_FILES or len(new) >= MOST_FILES


def _difference(name: str, old: Any, new: Any) -> Difference:
    if isinstance(old, list) or isinstance(new, list):
        had, has = [str(item) for item in old or ()], [str(item) for item in new or ()]
        gone, come = set(had) - set(has), set(has) - set(had)
        return Difference(name, _short(item for item in had if item in gone), _short(i for i in has if i in come))
    if old == new:
        return Difference(name, (), ())
    return Difference(name, _short([str(old)] if old else []), _short([str(new)] if new else []))


def _short(values: Any) -> tuple[str, ...]:
    kept = list(values)[:100]
    return tuple(value if len(value) <= MOST_LENGTH else value[:MOST_LENGTH] + "…" for value in kept)


def _sizes(release: Release) -> dict[str, int]:
    if release.quarantined:
        return {}
    found = File.objects.filter(release=release).order_by("sort_key").values_list("filename", "size")[:MOST_FILES]
    return {_kind(filename): size for filename, size in found}


def _kind(filename: str) -> str:
    tags = tags_of(filename)
    return "source" if tags is None else "-".join(".".join(part) for part in (tags.pythons, tags.abis, tags.platforms))
