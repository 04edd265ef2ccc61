"""What people type → what is wanted.  The query language is described in ``docs/guides/search.md``.

Pure.  Nothing that is typed is an error: what is not understood is a word to look for.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from packhouse.search import analysis

LONGEST: Final = 1000
"""Characters of a query."""
MOST_WORDS: Final = 24
RELEVANCE, UPDATED, NEWEST, DOWNLOADS = "", "-updated", "-created", "-downloads"
ORDERS: Final = (RELEVANCE, UPDATED, NEWEST, DOWNLOADS)
_PART = re.compile(r"""(?P<minus>-?)(?:(?P<key>[a-z]+):)?(?:"(?P<phrase>[^"]*)"?|(?P<plain>\S+))""")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A search.

    ``words`` as typed, in lower case; ``phrases`` and ``without`` are lists of words; ``beginnings`` are words of which
    only the start is known (``dja*``); ``since`` is the day after which a release must have been published.
    """

    text: str = ""
    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    beginnings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    without: tuple[tuple[str, ...], ...] = ()
    classifiers: tuple[str, ...] = ()
    pythons: tuple[str, ...] = ()
    licenses: tuple[str, ...] = ()
    wheels: bool = False
    since: date | None = None
    order: str = RELEVANCE

    @property
    def asks(self) -> bool:
        """Whether there is anything to match, filters apart."""
        return bool(self.words or self.phrases or self.beginnings or self.names or self.imports or self.without)

    @property
    def filters(self) -> bool:
        return bool(self.classifiers or self.pythons or self.licenses or self.wheels or self.since)

    @property
    def plain(self) -> bool:
        """Whether only words were typed, as most people do."""
        return bool(self.words) and not (self.phrases or self.beginnings or self.names or self.imports or self.without)


@dataclass(slots=True)
class _Reading:
    found: dict[str, list[object]] = field(default_factory=dict)
    wheels: bool = False
    since: date | None = None

    def add(self, key: str, value: object) -> None:
        values = self.found.setdefault(key, [])
        if value not in values and len(values) < MOST_WORDS:
            values.append(value)


_KEYS: Final[Mapping[str, str]] = {
    "name": "names",
    "import": "imports",
    "classifier": "classifiers",
    "python": "pythons",
    "license": "licenses",
    "licence": "licenses",
}


def read(text: str) -> Wanted:
    """*text* as people type it: all words must be found, ``"in this order"``, ``-without``, ``key:value``."""
    reading = _Reading()
    for part in _PART.finditer(text.replace("\x00", " ").replace("\u201c", '"').replace("\u201d", '"')):
        _read_part(reading, part)
    lists = {key: tuple(values) for key, values in reading.found.items()}
    wanted = Wanted(text=text.strip(), wheels=reading.wheels, since=reading.since)
    return replace(wanted, **lists)  # type: ignore[arg-type]


def _read_part(reading: _Reading, part: re.Match[str]) -> None:
    key, phrase, plain = part["key"], part["phrase"], part["plain"]
    value = (phrase if phrase is not None else plain).strip()
    if part["minus"]:
        if excluded := tuple(analysis.words(value)):
            reading.add("without", excluded)
    elif key and value and _read_filter(reading, key, value):
        return
    elif phrase is not None and len(inside := tuple(analysis.words(f"{key or ''} {phrase}"))) > 1:
        reading.add("phrases", inside)
    elif plain and plain.endswith("*") and (begun := analysis.words(plain)):
        reading.add("beginnings", begun[-1])
        _add_words(reading, begun[:-1])
    else:
        _add_words(reading, analysis.words(part[0]))


def _add_words(reading: _Reading, words: list[str]) -> None:
    for word in words:
        reading.add("words", word)


def _read_filter(reading: _Reading, key: str, value: str) -> bool:
    """Takes ``key:value`` if it is one that we know."""
    if key in _KEYS:
        reading.add(_KEYS[key], value)
    elif key == "has" and value in {"wheel", "wheels"}:
        reading.wheels = True
    elif key in {"since", "updated"} and (since := read_date(value)):
        reading.since = since
    else:
        return False
    return True


def read_date(text: str) -> date | None:
    """``2026``, ``2026-03`` or ``2026-03-14``; None for anything else."""
    match = _DATE.match(text.strip())
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return None
