"""XML-RPC methods that need more rooms than the index: ``search``, which ``pip search`` calls, and ``browse``."""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from xmlrpc.client import Fault

from django.db import DatabaseError

from packhouse.index import xmlrpc
from packhouse.index.xmlrpc_methods import Method
from packhouse.projects.models import Release
from packhouse.search import language, queries
from packhouse.search.guard import GUARD, Busy
from packhouse.search.language import Wanted
from packhouse.search.models import Entry

MOST: Final = 100
"""Hits in an answer."""
BROWSED: Final = queries.MOST
MOST_CLASSIFIERS: Final = 20
_AT_ONCE: Final = 500
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
    return _searched(language.read(text), MOST)


def _searched(wanted: Wanted, most: int) -> Sequence[Entry]:
    try:
        with GUARD.turn():
            return queries.search(wanted, size=most).entries
    except (Busy, DatabaseError) as error:
        raise Fault(xmlrpc.APPLICATION_ERROR, "RuntimeError: Search does not answer in time. Try again.") from error


def browse(classifiers: list[Any]) -> Iterator[bytes]:
    """Name and version of the latest releases that carry all of *classifiers*, by name.

    It goes by what is searched: older releases are not looked at, and of more than ``BROWSED`` projects the most
    downloaded ones are listed.
    """
    wanted = {text for text in classifiers if isinstance(text, str)}
    if not wanted or len(wanted) < len(set(map(repr, classifiers))) or len(wanted) > MOST_CLASSIFIERS:
        text = f"client error; classifiers: expected 1 to {MOST_CLASSIFIERS} of str"
        raise Fault(xmlrpc.INVALID_PARAMETERS, text)
    found = sorted((entry.name, entry.version) for entry in _carrying(wanted))
    return xmlrpc.array([[xmlrpc.row(xmlrpc.text(name), xmlrpc.text(version)) for name, version in found]])


def _carrying(wanted: set[str]) -> Iterator[Entry]:
    """Of what the search finds, which counts a classifier's children too, the entries that carry just those."""
    entries = _searched(Wanted(classifiers=tuple(sorted(wanted))), BROWSED)
    for start in range(0, len(entries), _AT_ONCE):
        some = {(entry.project_id, entry.version): entry for entry in entries[start : start + _AT_ONCE]}
        projects, versions = ({key[part] for key in some} for part in (0, 1))
        releases = Release.objects.filter(project_id__in=projects, version__in=versions)
        for project_id, version, carried in releases.values_list("project_id", "version", "metadata__classifier"):
            entry = some.get((project_id, version))
            if entry and wanted <= set(carried or ()):
                yield entry


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
