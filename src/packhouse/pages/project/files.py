"""The files of a release for the page that lists them, filtered by what they run on.

A release may have thousands of files, so file names alone are read as a whole, once for each state of the project;
rows are fetched for the page that is shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import QueryDict

from packhouse.attestations.queries import provenance_of
from packhouse.pages.project.origins import Origin, origin_of
from packhouse.pages.project.place import Place
from packhouse.pages.project.tags import Tags, abi_words, platform_words, python_words, tags_of
from packhouse.projects.models import File
from packhouse.specs.simple_api import file_url, provenance_url

PER_PAGE: Final = 25
MOST_OPTIONS: Final = 150
RUNS: Final = re.compile(r"([^0-9]*)([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file before its row is fetched; ``tags`` is None for what is no wheel."""

    id: int
    filename: str
    tags: Tags | None


@dataclass(frozen=True, slots=True)
class Row:
    """A file as the page shows it; the words are of its tags, ``origin`` is there where it has provenance."""

    file: File
    url: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]
    origin: Origin | None = None
    provenance_url: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the reader filters by; empty texts filter nothing."""

    text: str = ""
    python: str = ""
    abi: str = ""
    platform: str = ""

    @classmethod
    def from_query(cls, query: QueryDict) -> "Chosen":
        said = {name: query.get(name, "")[:100] for name in ("text", "python", "abi", "platform")}
        return cls(**said)

    @property
    def is_any(self) -> bool:
        return any((self.text, self.python, self.abi, self.platform))

    def lets_through(self, entry: Entry) -> bool:
        """Whether the file is one of those that the reader wants to see."""
        if self.text and self.text.lower() not in entry.filename.lower():
            return False
        tags = entry.tags or Tags((), (), ())
        wanted = ((self.python, tags.pythons), (self.abi, tags.abis), (self.platform, tags.platforms))
        return all(not value or value in of_file for value, of_file in wanted)


@dataclass(frozen=True, slots=True)
class Options:
    """What there is to filter by: (tag, its words)."""

    pythons: tuple[tuple[str, str], ...]
    abis: tuple[tuple[str, str], ...]
    platforms: tuple[tuple[str, str], ...]

    @property
    def worth_showing(self) -> bool:
        return max(len(self.pythons), len(self.abis), len(self.platforms)) > 1


@lru_cache(maxsize=64)
def _entries(release_id: int, serial: int) -> tuple[tuple[Entry, ...], Options]:
    """All files of a release, source distributions first, then wheels from the newest Python to the oldest.

    *serial* is the project's, so that a change makes the remembered answer unreachable.
    """
    found = File.objects.filter(release_id=release_id).values_list("id", "filename")
    entries = [Entry(pk, filename, tags_of(filename)) for pk, filename in found]
    entries.sort(key=lambda entry: _natural(entry.filename), reverse=True)
    entries.sort(key=lambda entry: entry.tags is not None)
    tagged = [entry.tags for entry in entries if entry.tags]
    options = Options(
        tuple((tag, python_words(tag)) for tag in _distinct(tags.pythons for tags in tagged)),
        tuple((tag, abi_words(tag) or tag) for tag in _distinct(tags.abis for tags in tagged)),
        tuple((tag, platform_words(tag) or tag) for tag in _distinct(tags.platforms for tags in tagged)),
    )
    return tuple(entries), options


def listing(place: Place, chosen: Chosen, number: str) -> tuple["Page[Entry]", list[Row], Options, int]:
    """A page of the release's files, its rows, the options for filtering, and how many files there are at all."""
    if place.is_hidden:
        nothing: tuple[Entry, ...] = ()
        return Paginator(nothing, PER_PAGE).get_page(1), [], Options((), (), ()), 0
    entries, options = _entries(place.release.pk, place.project.last_serial)
    kept = _kept(place.release.pk, place.project.last_serial, chosen) if chosen.is_any else entries
    page = Paginator(kept, PER_PAGE).get_page(number)
    files = File.objects.in_bulk([entry.id for entry in page])
    rows = [_row(files[entry.id], entry.tags) for entry in page if entry.id in files]
    rows = _with_origins(rows, place)
    return page, rows, options, len(entries)


@lru_cache(maxsize=64)
def _kept(release_id: int, serial: int, chosen: Chosen) -> tuple[Entry, ...]:
    """The files that the reader wants to see."""
    return tuple(entry for entry in _entries(release_id, serial)[0] if chosen.lets_through(entry))


def _row(file: File, tags: Tags | None) -> Row:
    url = file_url(str(settings.PACKHOUSE.public_url).rstrip("/"), file.path)
    if tags is None:
        return Row(file, url, (), (), ())
    platforms = tuple(dict.fromkeys(filter(None, map(platform_words, tags.platforms))))
    abis = tuple(filter(None, map(abi_words, tags.abis)))
    return Row(file, url, tuple(map(python_words, tags.pythons)), abis, platforms)


def _with_origins(rows: list[Row], place: Place) -> list[Row]:
    """The rows with where their files come from, as far as that is known."""
    config = settings.PACKHOUSE
    known = provenance_of([row.file.pk for row in rows])
    base, name, version = str(config.public_url).rstrip("/"), place.project.normalized_name, place.release.version
    return [
        replace(
            row,
            origin=origin_of(provenance, is_public_log=not config.attestation_root),
            provenance_url=provenance_url(base, name, version, row.file.filename),
        )
        if (provenance := known.get(row.file.pk))
        else row
        for row in rows
    ]


def _distinct(groups: Iterable[tuple[str, ...]]) -> list[str]:
    found = {tag for group in groups for tag in group}
    return sorted(found, key=_natural, reverse=True)[:MOST_OPTIONS]


def _natural(text: str) -> tuple[tuple[str, int], ...]:
    """A key that orders numbers within names as numbers."""
    return tuple((word, int(number or -1)) for word, number in RUNS.findall(text))
