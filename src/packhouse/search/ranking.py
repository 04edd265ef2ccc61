"""How well an entry fits what was asked.  Pure, and the same on every database.

A score adds up: how the name fits, where the words were found, and how much the project is downloaded.  The numbers
are points; a doubling of downloads is worth two.  They were set on the questions of ``tests/search/queries.tsv``.
"""

from bisect import insort
from collections.abc import Sequence
from math import log2
from typing import Final, NamedTuple

from packhouse.search import analysis
from packhouse.search.matching import Asked

POPULARITY: Final = 2.0
EXACT_NAME: Final = 1000.0
IMPORT_NAME: Final = 100.0
PART_OF_IMPORT: Final = 20.0
MEANT: Final = 50.0
"""For a name that what was typed is a misspelling of."""
BEGINNING: Final = 8.0
COVERAGE: Final = 8.0
PER_WORD: Final = 2.0
NAME_WORD, NAME_STEM, NAME_BEGINNING, KEYWORD, SUMMARY_WORD, SUMMARY_STEM, SYNONYM, ELSEWHERE = (
    *(10.0, 9.0, 7.0, 6.0, 7.0, 6.0),
    *(4.5, 0.5),
)
ARCHIVED: Final = -6.0


class Candidate(NamedTuple):
    """An entry's texts."""

    place: int
    name: str
    compact: str
    summary: str
    keywords: str
    import_names: str
    downloads: int
    archived: bool


def ranked(
    candidates: Sequence[Candidate], asked: Asked, meant: frozenset[str] = frozenset(), needed: int | None = None
) -> list[int]:
    """The places of *candidates*, best first; equal ones in order of place.  *meant* are names (compact) thought of.

    With *needed*, the first so many: who cannot come among them, however well its words fit, is not looked at closely.
    """
    hopes = sorted((-_hope(candidate, asked, meant), candidate.place, candidate) for candidate in candidates)
    wanted = len(hopes) if needed is None else needed
    scores: list[tuple[float, int]] = []
    for hope, _, candidate in hopes:
        if len(scores) == wanted and hope > scores[-1][0]:
            break
        insort(scores, (-score(candidate, asked, meant), candidate.place))
        del scores[wanted:]
    return [place for _, place in scores]


def _hope(candidate: Candidate, asked: Asked, meant: frozenset[str]) -> float:
    """The most that the candidate's score may be."""
    return _points(candidate, asked, meant) + (PER_WORD * NAME_WORD + COVERAGE if asked.weighed else 0.0)


def score(candidate: Candidate, asked: Asked, meant: frozenset[str]) -> float:
    points = _points(candidate, asked, meant)
    return points + PER_WORD * _word_points(candidate, asked) if asked.weighed else points


def _points(candidate: Candidate, asked: Asked, meant: frozenset[str]) -> float:
    """Those that need no look at the words."""
    points = POPULARITY * log2(1 + candidate.downloads) + _name_points(candidate, asked)
    if candidate.compact in meant:
        points += MEANT
    return points + (ARCHIVED if candidate.archived else 0.0)


def _name_points(candidate: Candidate, asked: Asked) -> float:
    name, joined = candidate.compact, asked.joined
    points = 0.0
    if joined and name == joined:
        points += EXACT_NAME
    elif joined and name.startswith(joined):
        points += BEGINNING * (1 + len(joined) / len(name))
    if asked.chunk and candidate.import_names:
        names = candidate.import_names.lower().split()
        if asked.chunk in names:
            points += IMPORT_NAME
        elif any(asked.chunk == name.partition(".")[0] for name in names):
            points += PART_OF_IMPORT
    return points


def _word_points(candidate: Candidate, asked: Asked) -> float:
    """The mean of what each word is worth, and how much of the name the words make up."""
    name = analysis.name_words(candidate.name)
    name_stems = {analysis.stem(word) for word in name}
    keywords = {analysis.stem(word) for word in analysis.words(candidate.keywords)} if candidate.keywords else set()
    summary = set(analysis.words(candidate.summary))
    summary_stems = {analysis.stem(word) for word in summary}
    total, covered = 0.0, 0
    for word in asked.weighed:
        kin = analysis.kin(word)
        stem, others = kin[0], kin[1:]
        if word in name:
            points, letters = NAME_WORD, len(word)
        elif stem in name_stems:
            points, letters = NAME_STEM, len(stem)
        elif word in candidate.compact:
            points, letters = NAME_BEGINNING, len(word)
        elif word in summary:
            points, letters = SUMMARY_WORD, 0
        elif stem in keywords or stem in summary_stems:
            points, letters = KEYWORD, 0
        elif any(other in name_stems or other in summary_stems or other in keywords for other in others):
            points, letters = SYNONYM, 0
        else:
            points, letters = ELSEWHERE, 0
        total += points
        covered += letters
    coverage = min(1.0, covered / max(1, len(candidate.compact)))
    return total / len(asked.weighed) + COVERAGE * coverage / PER_WORD
