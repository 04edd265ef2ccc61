"""The address of a search ↔ what is wanted."""

from dataclasses import dataclass, replace

from django.http import QueryDict

from packhouse.search import language
from packhouse.search.language import Wanted

MOST_FILTERS = 20


@dataclass(frozen=True, slots=True)
class Address:
    """The query of a search's URL, and what it comes to.

    ``q`` the text, ``c`` classifiers, ``python``, ``license``, ``has=wheels``, ``since`` a date, ``o`` an order,
    ``page`` from 1.  Raises ``ValueError`` for a page that is none.
    """

    given: QueryDict

    @property
    def text(self) -> str:
        return self.given.get("q", "").strip()

    @property
    def page(self) -> int:
        page = int(self.given.get("page") or 1)
        if page < 1:
            raise ValueError(page)
        return page

    def wanted(self) -> Wanted:
        read = language.read(self.text)
        order = self.given.get("o", "")
        return replace(
            read,
            classifiers=self._both(read.classifiers, "c"),
            pythons=self._both(read.pythons, "python"),
            licenses=self._both(read.licenses, "license"),
            wheels=read.wheels or "wheels" in self.given.getlist("has"),
            since=language.read_date(self.given.get("since", "")) or read.since,
            order=order if order in language.ORDERS else language.RELEVANCE,
        )

    def _both(self, typed: tuple[str, ...], key: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*typed, *filter(None, self.given.getlist(key))]))[:MOST_FILTERS]

    def with_value(self, key: str, value: str, *, alone: bool = False) -> str:
        """The URL with one value more, or with it *alone* under its key; it leads to the first page."""
        changed = self._from_the_start()
        if alone:
            changed[key] = value
        elif value not in changed.getlist(key):
            changed.appendlist(key, value)
        return f"?{changed.urlencode()}"

    def without(self, key: str, value: str = "") -> str:
        """The URL without the *value* of *key*, or without any."""
        changed = self._from_the_start()
        changed.setlist(key, [other for other in changed.getlist(key) if value and other != value])
        return f"?{changed.urlencode()}"

    def _from_the_start(self) -> QueryDict:
        changed = self.given.copy()
        changed.pop("page", None)
        return changed
