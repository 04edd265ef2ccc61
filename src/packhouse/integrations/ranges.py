"""Which versions a range of the OSV format contains.  Pure.

https://ossf.github.io/osv-schema/ (``affected[].ranges[]`` and "Evaluation").
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from packaging.version import Version

from packhouse.specs import versions

INTRODUCED, FIXED, LAST_AFFECTED, LIMIT = "introduced", "fixed", "last_affected", "limit"
KINDS: Final = (INTRODUCED, FIXED, LAST_AFFECTED, LIMIT)
ALWAYS: Final = "0"
"""As what is introduced: before every version."""
NO_LIMIT: Final = "*"

Event = tuple[str, str]
"""What happens (one of `KINDS`), and at which version."""
Range = Sequence[Event]


def read(events: Iterable[Any]) -> list[Event]:
    """The *events* of one range as the OSV format spells them: objects with one member each.

    Raises ``ValueError`` for a range that nobody could evaluate: its text says why.
    """
    found = [_event(said) for said in events]
    if not any(kind == INTRODUCED for kind, _ in found):
        raise ValueError("a range without a version in which it was introduced")
    return found


def _event(said: Any) -> Event:
    if not isinstance(said, dict) or len(said) != 1:
        raise ValueError("expected an object with one member")
    ((kind, version),) = said.items()
    if kind not in KINDS or not isinstance(version, str):
        raise ValueError(f"expected one of {', '.join(KINDS)}, with a version")
    if not (version == ALWAYS and kind == INTRODUCED) and not (version == NO_LIMIT and kind == LIMIT):
        versions.parse(version)  # raises a ValueError
    return str(kind), version


def container(events: Range) -> Callable[[Version], bool]:
    """Tells of a version whether it lies in the range; *events* as `read` gives them, which are read once."""
    limits = [None if at == NO_LIMIT else Version(at) for kind, at in events if kind == LIMIT]
    ordered = sorted((event for event in events if event[0] != LIMIT), key=_place)
    steps = [(kind, None if (kind, at) == (INTRODUCED, ALWAYS) else Version(at)) for kind, at in ordered]

    def contains(version: Version) -> bool:
        if limits and not any(limit is None or version < limit for limit in limits):
            return False
        affected = False
        for kind, at in steps:
            if at is None or (version > at if kind == LAST_AFFECTED else version >= at):
                affected = kind == INTRODUCED
        return affected

    return contains


def _place(event: tuple[str, str]) -> tuple[bytes, int]:
    """Events by version; of two at the same one, what is introduced comes last, for that is what holds from there."""
    kind, at = event
    if (kind, at) == (INTRODUCED, ALWAYS):
        return b"", 0
    return versions.sort_key_of(at), int(kind == INTRODUCED)
