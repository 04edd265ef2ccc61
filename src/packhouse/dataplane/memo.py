"""Project pages for seconds: what many ask for at once is made once, and forgotten as soon as its project changes.

A page is kept by everything that it may depend on: path, query and what the request says of the language.  It is kept
only if it says of itself that it is the same for everybody and shows one project; whatever changes the project changes
a document, and with it goes the page.  What no document tells of (a notice on all pages, numbers of downloads) may be
twice ``KEPT`` seconds old.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from packhouse.dataplane.bridge import Answered
from packhouse.dataplane.conditional import matches
from packhouse.dataplane.http import Header, Response

KEPT: Final = 1.0
LONGEST_PAGE: Final = 512 * 1024
LONGEST_KEY: Final = 1000
_LOCALE: Final = "locale"
_LANGUAGE: Final = ("accept-language", "packhouse-language")
_BODY: Final = ("content-length", "transfer-encoding")
_NOT_FOR_HERE: Final = ("authorization", "range", "if-match", "if-unmodified-since", *_BODY)
_SUBJECT: Final = re.compile(r"project/([a-z0-9-]+) all-html")
_VARY: Final = frozenset(_LANGUAGE)
_UNLESS_CHANGED: Final = frozenset({"content-type", "content-length", "content-language"})

Key = tuple[str, str, str, str, str]


@dataclass(slots=True)
class Kept:
    """A page: its answers with and without a body."""

    subject: str
    until: float
    etag: str
    headers: list[Header]
    unmodified: list[Header]
    body: bytes


@dataclass(slots=True)
class Memo:
    """Pages by what they depend on, at most ``capacity`` bytes.  Lives on one event loop.

    ``changes`` counts what has been forgotten: a page that was begun before a change is not kept after it.
    """

    capacity: int
    size: int = 0
    changes: int = 0
    _pages: "OrderedDict[Key, Kept]" = field(default_factory=OrderedDict)
    _by_subject: dict[str, set[Key]] = field(default_factory=dict)

    def get(self, key: Key, known: str | None) -> Response | None:
        """The answer to a request whose ``If-None-Match`` is *known*; None when the page must be made.

        Of those who ask for a page that has stood for ``KEPT`` seconds, one makes it anew; the others do not wait.
        """
        page = self._pages.get(key)
        if page is None:
            return None
        now = monotonic()
        if page.until < now:
            page.until = now + KEPT
            return None
        if known is not None and matches(known, page.etag):
            return Response(304, page.unmodified, b"", "page")
        return Response(200, page.headers, page.body, "page")

    def put(self, key: Key, answered: Answered, changes: int) -> None:
        """Keep what was *answered*, if it may be kept and nothing has changed since ``changes`` was *changes*."""
        subject = _subject(answered)
        if not subject or changes != self.changes:
            return
        headers = [*answered.headers]
        if not any(name == "content-length" for name, _ in headers):
            headers.append(("content-length", str(len(answered.body))))
        etag = next(value for name, value in headers if name == "etag")
        unmodified = [header for header in headers if header[0] not in _UNLESS_CHANGED]
        self._drop(key)
        self._pages[key] = Kept(subject, monotonic() + KEPT, etag, headers, unmodified, answered.body)
        self._by_subject.setdefault(subject, set()).add(key)
        self.size += len(answered.body) + 2000
        while self.size > self.capacity:
            self._drop(next(iter(self._pages)))

    def forget(self, documents: Iterable[str] | None) -> None:
        """*documents* (keys) have changed, and with them the pages of their projects; None: all may have."""
        self.changes += 1
        if documents is None:
            subjects = set(self._by_subject)
        else:
            subjects = {name for _, name in (document.partition("/")[::2] for document in documents)}
            subjects = {name.partition("/")[0] for name in subjects}
        for subject in subjects:
            for key in tuple(self._by_subject.get(subject, ())):
                self._drop(key)

    def _drop(self, key: Key) -> None:
        page = self._pages.pop(key, None)
        if page is None:
            return
        self.size -= len(page.body) + 2000
        keys = self._by_subject[page.subject]
        keys.discard(key)
        if not keys:
            del self._by_subject[page.subject]


def key_of(scope: Any) -> Key | None:
    """What the page of a request depends on; None for requests that are no matter of this.

    Of the cookies, every one whose name may be read as ``locale`` counts, as it was sent; of headers that were sent
    several times, all of them.
    """
    if scope.method not in ("GET", "HEAD") or not scope.path.startswith("/project/"):
        return None
    headers = scope.headers
    sent = set(headers.keys())
    if not sent.isdisjoint(_NOT_FOR_HERE):
        return None
    chosen = ""
    if "cookie" in sent:
        cookies = ";".join(headers.get_all("cookie")).split(";")
        chosen = ";".join(cookie for cookie in cookies if _LOCALE in cookie)
    asked, told = (",".join(headers.get_all(name)) if name in sent else "" for name in _LANGUAGE)
    key = (scope.path, scope.query_string, chosen, asked, told)
    return key if sum(map(len, key)) < LONGEST_KEY else None


def _subject(answered: Answered) -> str:
    """The one project whose page this is; empty for what may not be kept."""
    headers = dict(answered.headers)
    shown = _SUBJECT.fullmatch(headers.get("surrogate-key", ""))
    varies = {name.strip().lower() for name in headers.get("vary", "").split(",")}
    may_be_kept = (
        answered.status == 200
        and answered.rest is None
        and len(answered.body) <= LONGEST_PAGE
        and len(headers) == len(answered.headers)
        and headers.get("cache-control", "").startswith("public")
        and headers.keys() >= {"etag", "content-type"}
        and "set-cookie" not in headers
        and varies <= _VARY
    )
    return shown[1] if shown and may_be_kept else ""
