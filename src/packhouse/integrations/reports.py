"""A report: what a feed says of one project under one identifier; and how its members are read.  Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from packhouse.integrations.ranges import Event
from packhouse.specs import versions as pep440
from packhouse.specs.errors import Refused

OSV: Final = "osv"
LONGEST: Final = {"id": 200, "project": 200, "link": 2000, "summary": 2000, "details": 200_000}
LONGEST_ITEM: Final = 200
MOST_ITEMS: Final = 20_000


class Malformed(ValueError):
    """Something of a report cannot be used.  ``field`` is where it stands, ``problem`` what was expected."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Report:
    """``project`` is a normalised name, ``versions`` are canonical.  One that affects nothing takes itself back."""

    project: str
    identifier: str
    versions: tuple[str, ...] = ()
    ranges: tuple[tuple[Event, ...], ...] = ()
    link: str = ""
    aliases: tuple[str, ...] = ()
    summary: str = ""
    details: str = ""
    fixed_in: tuple[str, ...] = ()
    withdrawn: datetime | None = None

    @property
    def takes_back(self) -> bool:
        return not self.versions and not self.ranges

    def with_more(self, other: "Report") -> "Report":
        """This report and what *other*, of the same project, says of further versions."""
        return replace(
            self,
            versions=tuple(dict.fromkeys((*self.versions, *other.versions))),
            ranges=(*self.ranges, *other.ranges),
            fixed_in=ordered((*self.fixed_in, *other.fixed_in)),
        )


def text(said: Mapping[str, Any], name: str, *, where: str = "", required: bool = False) -> str:
    """The member *name*; empty where it is absent or null, unless it is *required*."""
    value = said.get(name)
    field = where + name
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise Malformed(field, "expected a text")
    if len(value) > LONGEST[name]:
        raise Malformed(field, f"expected at most {LONGEST[name]} characters")
    return storable(value, field)


def texts(said: Mapping[str, Any], name: str, *, where: str = "", required: bool = False) -> tuple[str, ...]:
    """The member *name*, a list of short texts."""
    value = said.get(name)
    field = where + name
    if value is None and not required:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(field, "expected a list of texts")
    if len(value) > MOST_ITEMS or any(len(item) > LONGEST_ITEM for item in value):
        raise Malformed(field, f"expected at most {MOST_ITEMS} texts of at most {LONGEST_ITEM} characters")
    return tuple(dict.fromkeys(storable(item, field) for item in value))


def storable(value: str, field: str) -> str:
    """*value*, which a database can hold and a page can show."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise Malformed(field, "expected a text of characters")
    return value


def link(value: str, field: str) -> str:
    """*value* if it is an address of the web."""
    try:
        parts = urlsplit(value)
        good = not value or (parts.scheme in {"http", "https"} and bool(parts.hostname))
    except ValueError:
        good = False
    if not good or not value.isprintable() or " " in value:
        raise Malformed(field, "expected an http or https address")
    return value


def moment(said: Mapping[str, Any], name: str, *, where: str = "") -> datetime | None:
    """The member *name*, a time with its zone (RFC 3339); None where it is absent or null."""
    value = said.get(name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is not None:
            return found.astimezone(UTC).replace(microsecond=0)
    except (TypeError, ValueError, OverflowError):
        pass
    raise Malformed(where + name, "expected a time with its zone, like 2026-01-02T03:04:05Z")


def canonical(given: Sequence[str]) -> tuple[str, ...]:
    """*given* versions in their canonical spelling; no release can have one that is none of PEP 440."""
    found = []
    for version in given:
        try:
            found.append(pep440.canonical(pep440.parse(version)))
        except Refused:
            continue
    return tuple(dict.fromkeys(found))


def ordered(given: Sequence[str]) -> tuple[str, ...]:
    """*given* versions, each once, ascending; without those that are none, at which auditors would stumble."""
    return tuple(sorted({version for version in given if canonical([version])}, key=pep440.sort_key_of))
