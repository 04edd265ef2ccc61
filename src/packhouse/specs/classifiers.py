"""Trove classifiers: which are current, and in which order they are shown (PEP 301, the ``trove-classifiers`` list)."""

from collections.abc import Iterable

import trove_classifiers

PRIVATE_PREFIX = "Private :: "
"""A classifier that begins so is in no list: authors use it to keep a project from being published by accident."""

_POSITIONS: dict[str, int] = {name: position for position, name in enumerate(trove_classifiers.sorted_classifiers)}


def problem(classifier: str, *, allow_private: bool = False) -> str | None:
    """Return why ``classifier`` is not taken, as a sentence; None when it is."""
    if classifier in _POSITIONS or (allow_private and classifier.startswith(PRIVATE_PREFIX)):
        return None
    if classifier not in trove_classifiers.deprecated_classifiers:
        return f"{classifier!r} is not a valid classifier."
    successors = trove_classifiers.deprecated_classifiers[classifier]
    if not successors:
        return f"The classifier {classifier!r} has been deprecated."
    return f"The classifier {classifier!r} has been deprecated, use one of {successors!r} instead."


def in_order(classifiers: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct ``classifiers`` in the order of the list; those it does not know come last."""
    return tuple(sorted(set(classifiers), key=lambda name: (_POSITIONS.get(name, len(_POSITIONS)), name)))
