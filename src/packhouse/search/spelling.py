"""Misspelt names and words, and what was meant by them."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from packhouse.search.engines import Engine
from packhouse.search.models import Entry, Word

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
SHORTEST: Final = 4
"""Letters below which nearly every word is one letter from another."""
LONGEST: Final = 30
_ALIKE = 250


class Meant(NamedTuple):
    """A project whose name is near to what was typed."""

    compact: str
    name: str
    downloads: int


def names_near(engine: Engine, typed: str) -> list[Meant]:
    """Projects whose names are one letter from *typed* (compact), else, for longer ones, two; most downloaded first."""
    if not SHORTEST <= len(typed) <= LONGEST or not typed.isascii():
        return []
    near = _named(one_off(typed))
    if not near and len(typed) > 5:
        near = _named({name for name in engine.alike(typed, _ALIKE) if 0 < distance(typed, name, 2) <= 2})
    return near


def _named(names: Iterable[str]) -> list[Meant]:
    """The five most downloaded.  Sorted here: told to sort and stop, PostgreSQL goes through all entries by place."""
    rows = Entry.objects.filter(compact__in=list(names)).values_list("place", "compact", "name", "downloads")
    return [Meant(*row[1:]) for row in sorted(rows)[:5]]


def words_near(words: Sequence[str]) -> dict[str, str]:
    """For those of *words* that no entry has, the most frequent known word one letter away, where there is one."""
    known = set(Word.objects.filter(word__in=words).values_list("word", flat=True))
    found: dict[str, str] = {}
    for word in words:
        if word in known or not SHORTEST <= len(word) <= LONGEST or not word.isascii():
            continue
        near = Word.objects.filter(word__in=list(one_off(word))).values_list("count", "word")
        if near:
            found[word] = min(near, key=lambda row: (-row[0], row[1]))[1]
    return found


def one_off(word: str) -> set[str]:
    """All that one letter left out, added, changed, or swapped with the next makes of *word*."""
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    fewer = {left + right[1:] for left, right in halves if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
    changed = {left + letter + right[1:] for left, right in halves if right for letter in _LETTERS}
    more = {left + letter + right for left, right in halves for letter in _LETTERS}
    return (fewer | swapped | changed | more) - {word, ""}


def distance(one: str, other: str, most: int) -> int:
    """Letters left out, added, changed, or swapped with the next (optimal string alignment); past *most*, most + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, against in enumerate(other, 1):
            best = min(last[column] + 1, line[column - 1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        if min(line) > most:
            return most + 1
        before, last = last, line
    return min(last[-1], most + 1)
