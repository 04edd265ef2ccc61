"""Asking for flags."""

import time
from dataclasses import dataclass

from django.db import connection

from packhouse.base.statements import Asked, Question
from packhouse.flags.known import KNOWN
from packhouse.flags.models import Flag

CACHED_FOR = 1.0
"""How long, in seconds, an answer outside of transactions may be old."""


@dataclass(frozen=True, slots=True)
class FlagState:
    name: str
    description: str
    enabled: bool
    notify: bool


class _Cache:
    """Which flags were on at the last look, with whether pages should say so, and when that was.

    One assignment replaces it, so no lock is needed.
    """

    state: tuple[float, dict[str, bool]] | None = None


def is_on(name: str) -> bool:
    """Whether the flag is on.

    Inside a transaction this asks the database, so that an upload which asks again in its transaction goes by the
    state it commits under.  Elsewhere the answer may be a second old.  Raises ``KeyError`` for an undeclared flag.
    """
    if name not in KNOWN:
        raise KeyError(f"{name} is not declared in packhouse.flags.known")
    if connection.in_atomic_block:
        return _IS_ON.exists(name)
    return name in _recently_on()


def asked(name: str) -> Asked:
    """What `is_on` asks inside a transaction."""
    return _IS_ON, name


_IS_ON = Question(lambda name: Flag.objects.filter(name=name, enabled=True).values_list("pk"), str)


def all_flags() -> list[FlagState]:
    """Every declared flag with its state, in the order of declaration."""
    rows = Flag.objects.in_bulk()
    off = Flag()
    return [
        FlagState(name, description, (row := rows.get(name, off)).enabled, row.notify)
        for name, description in KNOWN.items()
    ]


def notices() -> list[str]:
    """What pages should say about the flags that are on.  The answer may be a second old."""
    on = _on() if connection.in_atomic_block else _recently_on()
    return [description for name, description in KNOWN.items() if on.get(name)] if on else []


def forget() -> None:
    """Make the next question look at the database."""
    _Cache.state = None


def _on() -> dict[str, bool]:
    """The flags that are on, each with whether pages should say so."""
    return dict(Flag.objects.filter(enabled=True).values_list("name", "notify"))


def _recently_on() -> dict[str, bool]:
    state, now = _Cache.state, time.monotonic()
    if state is None or now - state[0] >= CACHED_FOR:
        state = now, _on()
        _Cache.state = state
    return state[1]
