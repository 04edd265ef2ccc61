"""The filters beside the results: what can be chosen, how many results it leaves, and what is chosen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import floor, log10
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from packhouse.base import clock
from packhouse.search.entries import PYTHONS
from packhouse.search.forms import Address
from packhouse.search.models import Facet
from packhouse.search.queries import Found

GROUPS: Final = (
    *("Framework", "Topic", "Development Status", "License", "Programming Language", "Operating System"),
    *("Environment", "Intended Audience", "Natural Language"),
)
"""The order of the classifiers' first parts; others follow by name."""
MOST_CHOICES: Final = 12
_MOST_FACETS: Final = 800


class Applied(NamedTuple):
    """A filter that is chosen, and the URL without it."""

    label: str
    url: str


@dataclass(slots=True)
class Choice:
    """A filter that can be chosen: ``url`` leads to the results with it, or without it where it is ``chosen``."""

    label: str
    count: int
    url: str
    chosen: bool = False
    choices: "list[Choice]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Section:
    """A group of choices with a heading; ``open`` where one of them is chosen."""

    title: str | Promise
    choices: Sequence[Choice]
    open: bool = False


class Counted(NamedTuple):
    """A facet with how many results have it, or about so many."""

    kind: str
    value: str
    results: int


def counted(found: Found) -> list[Counted]:
    """The facets of a result, most frequent first."""
    common = found.facets.most_common(_MOST_FACETS)
    known = {
        pk: (kind, value) for pk, kind, value in Facet.objects.filter(pk__in=[pk for pk, _ in common]).values_list()
    }
    return [Counted(*known[pk], _extended(count, found)) for pk, count in common if pk in known]


def _extended(count: int, found: Found) -> int:
    """What *count* among those that were looked at comes to among all, in two digits then."""
    if not found.is_sampled:
        return count
    about = round(count * found.total / found.sampled)
    return round(about, 1 - floor(log10(about))) if about >= 100 else about


def applied(address: Address) -> list[Applied]:
    """The filters of the address (not those in the text, which people see where they typed them)."""
    found = [
        Applied(_label(key, value), address.without(key, value))
        for key in ("c", "python", "license", "has")
        for value in address.given.getlist(key)
        if value
    ]
    if since := address.given.get("since"):
        found.append(Applied(_("Updated since %(date)s") % {"date": since}, address.without("since")))
    return found


def _label(key: str, value: str) -> str:
    match key:
        case "python":
            return f"Python {value}"
        case "has":
            return _("Has wheels")
        case _:
            return value


def sections(found: Found, address: Address) -> list[Section]:
    """All that the results can be narrowed by."""
    facets = counted(found)
    by_kind: dict[str, list[Counted]] = {kind: [] for kind in Facet.Kind.values}
    for facet in facets:
        by_kind[facet.kind].append(facet)
    made = [
        _section(_("Python"), "python", _by_version(by_kind["python"]), address),
        _section(_("Updated"), "since", (), address, _ages(address)),
        _section(_("Files"), "has", by_kind["has"], address),
        _section(_("Licence"), "license", by_kind["license"][:MOST_CHOICES], address),
    ]
    return [section for section in made if section.choices] + _classifiers(by_kind["classifier"], address)


def _section(
    title: str, key: str, facets: Iterable[Counted], address: Address, choices: Sequence[Choice] = ()
) -> Section:
    chosen = address.given.getlist(key)
    made = [*choices, *(_choice(key, facet, address, chosen) for facet in facets)]
    return Section(title, made, any(choice.chosen for choice in made))


def _choice(key: str, facet: Counted, address: Address, chosen: Sequence[str], label: str = "") -> Choice:
    is_chosen = facet.value in chosen
    url = address.without(key, facet.value) if is_chosen else address.with_value(key, facet.value)
    shown = label or (_label(key, facet.value) if key in {"has", "python"} else facet.value)
    return Choice(shown, facet.results, url, is_chosen)


def _by_version(facets: Sequence[Counted]) -> list[Counted]:
    order = {version: place for place, version in enumerate(reversed(PYTHONS))}
    return sorted(facets, key=lambda facet: order.get(facet.value, len(order)))


def _ages(address: Address) -> list[Choice]:
    """Since when results may have been updated; how many that leaves is not counted."""
    today, chosen = clock.now().date(), address.given.get("since", "")
    spans = ((_("In the last month"), 30), (_("In the last year"), 365), (_("In the last three years"), 3 * 365))
    return [_age(label, today - timedelta(days=days), chosen, address) for label, days in spans]


def _age(label: str, since: date, chosen: str, address: Address) -> Choice:
    day = since.isoformat()
    url = address.without("since") if chosen == day else address.with_value("since", day, alone=True)
    return Choice(label, 0, url, chosen == day)


def _classifiers(facets: Sequence[Counted], address: Address) -> list[Section]:
    """A section for each first part; below a classifier stand its children, those of children only if it is chosen."""
    chosen = address.given.getlist("c")
    children: dict[str, list[Counted]] = {}
    for facet in facets:
        children.setdefault(facet.value.rpartition(" :: ")[0], []).append(facet)
    tops = sorted(children.get("", ()), key=lambda facet: _group_order(facet.value))
    made = [Section(top.value, _below(top.value, children, chosen, address), _holds(top.value, chosen)) for top in tops]
    return [section for section in made if section.choices]


def _below(parent: str, children: dict[str, list[Counted]], chosen: Sequence[str], address: Address) -> list[Choice]:
    choices = []
    for facet in children.get(parent, ())[:MOST_CHOICES]:
        choice = _choice("c", facet, address, chosen, facet.value.rpartition(" :: ")[2])
        if choice.chosen or _holds(facet.value, chosen):
            choice.choices = _below(facet.value, children, chosen, address)
        choices.append(choice)
    return choices


def _holds(parent: str, chosen: Iterable[str]) -> bool:
    return any(value == parent or value.startswith(f"{parent} :: ") for value in chosen)


def _group_order(name: str) -> tuple[int, str]:
    return (GROUPS.index(name) if name in GROUPS else len(GROUPS), name)
