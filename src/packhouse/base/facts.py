"""Facts: what has happened, announced by the action that made it happen.

An action announces a fact inside its own transaction and does not know who listens.  ``packhouse.reactions`` lists
the listeners of each fact: *handlers* run at once, in the writer's transaction (they keep the read model true), and
*tasks* are put into the queue by that same transaction (rolled back: nothing queued; committed: queued exactly once).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Fact:
    """Base of all facts: frozen, named in the past tense, holding ids and plain values only."""


class Enqueueable(Protocol):
    """What a reaction may queue: a django-tasks ``Task`` and anything like it."""

    def enqueue(self, *args: Any, **kwargs: Any) -> Any: ...


@dataclass(frozen=True, slots=True)
class Reaction:
    """What follows from one kind of fact: handlers now, tasks (with the arguments made from the fact) later."""

    handlers: Sequence[Callable[[Any], None]] = ()
    tasks: Sequence[tuple[Enqueueable, Callable[[Any], tuple[Any, ...]]]] = field(default_factory=tuple)


def announce(fact: Fact) -> None:
    """Tell everybody who reacts to *fact*.  Must be called inside a transaction."""
    handle(fact)
    for task, arguments in following(fact):
        task.enqueue(*arguments)


def handle(fact: Fact) -> None:
    """Tell the handlers of *fact*; the caller queues what is `following`.  Must be called inside a transaction."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{type(fact).__name__} was announced outside a transaction")
    for handler in _reaction(fact).handlers:
        handler(fact)


def following(fact: Fact) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The tasks that follow from *fact*, each with its arguments."""
    for task, arguments in _reaction(fact).tasks:
        yield task, arguments(fact)


def _reaction(fact: Fact) -> Reaction:
    reactions: Mapping[type[Fact], Reaction] = import_string(settings.PACKHOUSE_REACTIONS)
    return reactions.get(type(fact), Reaction())
