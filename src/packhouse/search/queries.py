"""The one question: what is found for what is wanted."""

from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from typing import Final, NamedTuple

from packhouse.base import clock
from packhouse.projects.models import Project
from packhouse.search import language, matching, ranking, spelling
from packhouse.search.engines import Engine, Matches, engine
from packhouse.search.entries import TOP_DOWNLOADS, FacetKey, facet_ids
from packhouse.search.expressions import Expression, Token, every, some
from packhouse.search.language import Wanted
from packhouse.search.models import Entry, Facet
from packhouse.search.ranking import Candidate

PAGE_SIZE: Final = 20
MOST: Final = 10_000
"""Results that are counted, and can be paged through."""
SAMPLED: Final = 2000
"""Results whose facets are counted, the most downloaded ones: reading those of more takes longer than all else."""
TIME_LIMIT: Final = 0.9
"""Seconds after which a query is given up."""
_HEAD = {"exact": 30, "prefix": 60, "names": 100, "text": 250}
_USUAL = 30
"""Results from which on a word is no mistake."""
_FIRST_YEAR = 2003


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results.

    ``total`` counts up to ``MOST``; with ``more`` there are others still.  ``facets`` (id → count) counts among
    ``sampled`` of them: all, unless there are very many.  ``suggestion`` is what may have been meant, spelt right;
    ``instead`` tells that nothing was found for what was typed, and the results are those of the suggestion.
    ``partial`` tells that no entry had all words, and these have all but one.
    """

    wanted: Wanted
    entries: Sequence[Entry] = ()
    total: int = 0
    more: bool = False
    page: int = 1
    size: int = PAGE_SIZE
    facets: Counter[int] = field(default_factory=Counter)
    sampled: int = 0
    suggestion: str = ""
    instead: bool = False
    partial: bool = False

    @property
    def is_sampled(self) -> bool:
        """Whether the facets of only some were counted."""
        return 0 < self.sampled < self.total

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))


def search(wanted: Wanted, page: int = 1, size: int = PAGE_SIZE) -> Found:
    """The *page* (from 1) of *size* results of what is found; past the last one it is empty.

    Raises ``OperationalError`` when the database fails or takes longer than ``TIME_LIMIT``.
    """
    index = engine()
    with index.bounded(TIME_LIMIT):
        return _Search(index, wanted, page, size).found()


def carrying(classifiers: Collection[str], most: int) -> list[int]:
    """Ids of up to *most* projects each of whose *classifiers* some release carries, or one below it.

    The most downloaded first.  Whether one release carries all of them is for the caller to look at.  Raises
    ``OperationalError`` as ``search`` does.
    """
    facets = facet_ids((Facet.Kind.CLASSIFIER.value, classifier) for classifier in set(classifiers))
    if len(facets) < len(set(classifiers)):
        return []
    index = engine()
    with index.bounded(TIME_LIMIT):
        expression = every(*(some(Token(f"f:{facet}"), Token(f"o:{facet}")) for facet in facets.values()))
        places = index.first(expression, most)
        listed = Entry.objects.filter(place__in=places).order_by("place")
        return list(listed.values_list("project_id", flat=True))


class _Matched(NamedTuple):
    """What was asked, the filters of it alone, and the places of all that match, unless there are very many."""

    expression: Expression
    narrowed: Expression
    every_place: Sequence[int] | None


@dataclass(slots=True)
class _Search:
    """One search, step by step."""

    engine: Engine
    wanted: Wanted
    page: int
    size: int

    def found(self) -> Found:
        facets = _wanted_facets(self.wanted)
        if facets is None:
            return Found(self.wanted, page=self.page, size=self.size)
        narrowed = matching.filters(self.wanted, facets, clock.now())
        expression = every(narrowed, matching.text(self.wanted))
        matches = self._matching(expression)
        meant = self._meant(len(matches.places))
        if not matches.places and self.wanted.words:
            return self._instead(narrowed, meant)
        found = self._page(expression, narrowed, matches, frozenset(name.compact for name in meant))
        return replace(found, suggestion=meant[0].name if meant else "")

    def _matching(self, expression: Expression) -> Matches:
        """All matches, or as many as are looked at one by one."""
        return self.engine.matching(expression, min(SAMPLED, MOST), MOST + 1, self._since)

    @property
    def _since(self) -> datetime | None:
        return datetime.combine(self.wanted.since, time(), UTC) if self.wanted.since else None

    def _meant(self, matches: int) -> list[spelling.Meant]:
        """Names near what was typed that are downloaded far more than what is called so.

        What many entries have is no mistake.
        """
        what = matching.asked(self.wanted)
        if not self.wanted.plain or not what.chunk or matches > _USUAL:
            return []
        of_that_name = Entry.objects.filter(compact=what.joined).order_by("place").values_list("downloads", flat=True)
        known = of_that_name.first()
        if known is not None and known >= TOP_DOWNLOADS:
            return []
        near = spelling.names_near(self.engine, what.joined)
        least = 16 * ((known or 0) + 1) if matches else 0
        return [name for name in near if name.downloads >= least][:3]

    def _instead(self, narrowed: Expression, meant: list[spelling.Meant]) -> Found:
        """What is found for other words, when there is nothing for those that were typed."""
        if text := meant[0].name if meant else self._respelt():
            wanted = replace(
                self.wanted, text=text, words=language.read(text).words, phrases=(), beginnings=(), without=()
            )
            other = replace(
                _Search(self.engine, wanted, self.page, self.size).found(), wanted=self.wanted, suggestion=text
            )
            return replace(other, instead=bool(other.total))
        if len(matching.asked(self.wanted).words) < 2:
            return Found(self.wanted, page=self.page, size=self.size)
        expression = every(narrowed, matching.relaxed(self.wanted))
        found = self._page(expression, narrowed, self._matching(expression), frozenset())
        return replace(found, partial=bool(found.total))

    def _respelt(self) -> str:
        corrections = spelling.words_near(self.wanted.words)
        return " ".join(corrections.get(word, word) for word in self.wanted.words) if corrections else ""

    def _page(self, expression: Expression, narrowed: Expression, matches: Matches, meant: frozenset[str]) -> Found:
        every_place = matches.places if len(matches.places) == matches.total else None
        matched = _Matched(expression, narrowed, every_place)
        start = (self.page - 1) * self.size
        end = min(start + self.size, MOST)
        places: Sequence[int]
        if self.wanted.order in {language.UPDATED, language.NEWEST}:
            places = self._by_date(matched, end)
        elif self.wanted.asks and self.wanted.order != language.DOWNLOADS:
            places = self._by_relevance(matched, meant, end)
        else:
            places = self._by_place(matched, end)
        return Found(
            self.wanted,
            _shown(places[start:end]),
            min(matches.total, MOST),
            more=matches.total > MOST,
            page=self.page,
            size=self.size,
            facets=Counter(array("I", matches.facets)),
            sampled=len(matches.places),
        )

    def _by_place(self, matched: _Matched, needed: int) -> Sequence[int]:
        if matched.every_place is not None:
            return matched.every_place
        return self.engine.first(matched.expression, needed, self._since)

    def _by_relevance(self, matched: _Matched, meant: frozenset[str], needed: int) -> list[int]:
        """The head, ranked; then, as far as they are needed, all others by place."""
        head = self._head(matched, meant, needed)
        if len(head) >= needed:
            return head
        ranked = set(head)
        rest = self._by_place(matched, needed + len(head))
        return head + [place for place in rest if place not in ranked]

    def _head(self, matched: _Matched, meant: frozenset[str], needed: int) -> list[int]:
        what = matching.asked(self.wanted)
        if matched.every_place is not None and len(matched.every_place) <= sum(_HEAD.values()):
            places = set(matched.every_place)
        else:
            places = set(self._by_place(matched, _HEAD["text"])[: _HEAD["text"]])
            if what.joined and self.wanted.plain:
                places.update(self._first(matched.narrowed, matching.exact(what), "exact"))
                places.update(self._first(matched.narrowed, matching.prefix(what), "prefix"))
            if what.words and not self.wanted.without:
                places.update(self._first(matched.expression, matching.in_name(what), "names"))
        candidates = _candidates(places)
        if meant:
            candidates += [candidate for candidate in _named(meant) if candidate.place not in places]
        return ranking.ranked(candidates, what, meant, needed)

    def _first(self, narrowed: Expression, expression: Expression, source: str) -> list[int]:
        return self.engine.first(every(narrowed, expression), _HEAD[source], self._since)

    def _by_date(self, matched: _Matched, needed: int) -> list[int]:
        """Newest first.  Of very many matches only the latest months are looked at, as many as are needed."""
        column = "updated" if self.wanted.order == language.UPDATED else "created"
        if matched.every_place is not None:
            return _newest(matched.every_place, column)[:needed]
        places: list[int] = []
        for span in _spans_back(clock.now()):
            token = Token(f"{'u' if column == 'updated' else 'b'}:{span}")
            of_span = self.engine.first(every(matched.expression, token), MOST, self._since)
            places += _newest(of_span, column)
            if len(places) >= needed:
                break
        return places[:needed]


def _spans_back(now: datetime) -> Iterator[str]:
    """Months and years back from now: the months of this year and the last, then years.  One ahead: clocks differ."""
    yield str(now.year + 1)
    for year in (now.year, now.year - 1):
        yield from (f"{year}{month:02d}" for month in range(12, 0, -1))
    yield from (str(year) for year in range(now.year - 2, _FIRST_YEAR - 1, -1))


def _wanted_facets(wanted: Wanted) -> list[int] | None:
    """Ids of the facets that are filtered by; None when one of them has no entry."""
    keys: list[FacetKey] = [(Facet.Kind.CLASSIFIER.value, value) for value in wanted.classifiers]
    keys += [(Facet.Kind.PYTHON.value, value) for value in wanted.pythons]
    keys += [(Facet.Kind.LICENSE.value, value) for value in wanted.licenses]
    if wanted.wheels:
        keys.append((Facet.Kind.HAS.value, "wheels"))
    ids = facet_ids(keys) if keys else {}
    return None if len(ids) < len(set(keys)) else list(ids.values())


_COLUMNS = ("place", "name", "compact", "summary", "keywords", "import_names", "downloads", "archived")


def _candidates(places: set[int]) -> list[Candidate]:
    return [Candidate(*row) for row in Entry.objects.filter(place__in=places).values_list(*_COLUMNS)]


def _named(names: frozenset[str]) -> list[Candidate]:
    return [Candidate(*row) for row in Entry.objects.filter(compact__in=names).values_list(*_COLUMNS)]


def _newest(places: Sequence[int], column: str) -> list[int]:
    rows = Entry.objects.filter(place__in=places).order_by(f"-{column}", "place")
    return list(rows.values_list("place", flat=True))


def _shown(places: Sequence[int]) -> list[Entry]:
    """The entries, in that order, of projects that are there to be seen at this moment."""
    entries = Entry.objects.defer("facets").in_bulk(places)
    projects = Project.objects.filter(pk__in=[entry.project_id for entry in entries.values()])
    there = set(projects.exclude(status=Project.Status.QUARANTINED).values_list("pk", flat=True))
    return [entries[place] for place in places if place in entries and entries[place].project_id in there]
