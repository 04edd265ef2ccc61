"""XML-RPC methods that need more rooms than the index: ``search``, which ``pip search`` calls, and ``browse``."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar
from xmlrpc.client import Fault

from django.db import DatabaseError

from packhouse.index import xmlrpc
from packhouse.index.xmlrpc_methods import Method
from packhouse.projects.models import Project, Release
from packhouse.search import language, queries
from packhouse.search.guard import GUARD, Busy
from packhouse.search.models import Entry

MOST: Final = 100
"""Hits in an answer."""
BROWSED: Final = queries.MOST
MOST_CLASSIFIERS: Final = 20
MOST_BROWSED: Final = 50_000
MOST_LOOKED_AT: Final = 100_000
"""Releases whose classifiers are compared, about."""
_AT_ONCE: Final = 500
_BROWSED_COLUMNS: Final = ("project_id", "project__name", "version", "metadata__classifier")
_Answer = TypeVar("_Answer")
_SEARCHED: Final = ("name", "summary", "keywords", "description")


def search(spec: Any, operator: Any = "and") -> Iterator[bytes]:
    """Name, version and summary of the projects that match *spec*, best first.

    *spec* maps fields to a text or several.  Old clients give the same words for several fields and mean any field, so
    fields do not matter, but for a lone ``name``; nor does *operator*: all words must be found.
    """
    text = _text(spec)
    if not text or len(text) > language.LONGEST:
        raise Fault(xmlrpc.INVALID_PARAMETERS, f"client error; spec: expected 1 to {language.LONGEST} characters")
    hits = enumerate(_hits(text), 1)
    return xmlrpc.array([[_hit(place, entry) for place, entry in hits]])


def _text(spec: Any) -> str:
    """What *spec* asks for, in the language of the search page."""
    if not isinstance(spec, dict):
        raise Fault(xmlrpc.INVALID_PARAMETERS, "client error; spec: expected struct")
    asked = {field: _words(spec[field]) for field in _SEARCHED if field in spec}
    words = list(dict.fromkeys(word for values in asked.values() for word in values))
    return " ".join(f"name:{word}" for word in words) if set(asked) == {"name"} else " ".join(words)


def _words(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [word for each in values if isinstance(each, str) for word in each.split()]


def _hits(text: str) -> Sequence[Entry]:
    wanted = language.read(text)
    return _asked(lambda: queries.search(wanted, size=MOST)).entries


def _asked(question: Callable[[], _Answer]) -> _Answer:
    try:
        with GUARD.turn():
            return question()
    except (Busy, DatabaseError) as error:
        raise Fault(xmlrpc.APPLICATION_ERROR, "RuntimeError: Search does not answer in time. Try again.") from error


def browse(classifiers: list[Any]) -> Iterator[bytes]:
    """Name and version of all releases that carry all of *classifiers*, by name and version.

    It knows what is searched, which is seconds behind.  Of more than ``BROWSED`` projects, or ``MOST_BROWSED``
    releases, those of the most downloaded projects are listed.
    """
    wanted = {text for text in classifiers if isinstance(text, str)}
    if not wanted or len(wanted) < len(set(map(repr, classifiers))) or len(wanted) > MOST_CLASSIFIERS:
        text = f"client error; classifiers: expected 1 to {MOST_CLASSIFIERS} of str"
        raise Fault(xmlrpc.INVALID_PARAMETERS, text)
    found = sorted(_asked(lambda: list(islice(_carrying(wanted), MOST_BROWSED))))
    return xmlrpc.array([[xmlrpc.row(xmlrpc.text(name), xmlrpc.text(version)) for name, version in found]])


def _carrying(wanted: set[str]) -> Iterator[tuple[str, str]]:
    """The releases that carry just those, of projects that do, the most downloaded projects first."""
    projects, looked_at = queries.carrying(wanted, BROWSED), 0
    for start in range(0, len(projects), _AT_ONCE):
        order = {key: place for place, key in enumerate(projects[start : start + _AT_ONCE])}
        releases = Release.objects.filter(project_id__in=list(order), quarantined=False)
        rows = releases.exclude(project__status=Project.Status.QUARANTINED).values_list(*_BROWSED_COLUMNS)
        for _, name, version, carried in sorted(rows, key=lambda row: order[row[0]]):
            looked_at += 1
            if wanted <= set(carried or ()):
                yield name, version
        if looked_at > MOST_LOOKED_AT:
            return


def _hit(place: int, entry: Entry) -> str:
    members = [
        ("_pypi_ordering", xmlrpc.number(place)),
        ("name", xmlrpc.text(entry.name)),
        ("summary", xmlrpc.text(entry.summary)),
        ("version", xmlrpc.text(entry.version)),
    ]
    return b"".join(xmlrpc.struct([members])).decode()


METHODS: Final = {
    "search": Method(search, {"spec": object, "operator": object}, 1),
    "browse": Method(browse, {"classifiers": list}, 1),
}
