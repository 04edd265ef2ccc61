"""Texts → tokens.  The same for every database, for what is indexed and for what is asked.

Pure.  A token is a stem, or a value with a prefix that says what it is:

| token | of |
|---|---|
| ``pars`` | a word of any field, stemmed |
| ``n:parser`` | a word of the name; also the whole name without separators |
| ``e:httpclient`` | the whole name without separators |
| ``p:htt`` | a beginning of it, up to eight characters; ``x:ent`` its last three |
| ``i:yaml`` | an import name (PEP 794), whole and its first part |
| ``f:12`` | a facet |
| ``o:12`` | a classifier that only other releases than the one shown carry |
| ``u:2026`` ``u:202611`` ``b:2026`` ``b:202611`` | year and month of the last release and of the project's beginning |
| ``k:all`` ``k:top`` | every entry; those that are downloaded most |
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final

EDITION: Final = 2
"""Raised by one when the same texts make other tokens than before; the index is then made anew after the next start."""
EDGE: Final = 8
"""Beginnings of names up to this length are tokens."""
TAIL: Final = 3
LONGEST_WORD: Final = 40
_WORD = re.compile(r"[^\W_]+(?:[+#]+(?!\w))?")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[-_.\s]+")

STOP_WORDS: Final = frozenset(
    {
        *("a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "how", "in", "into", "is", "it", "its"),
        *("of", "on", "or", "that", "the", "this", "to", "using", "with", "without", "your", "py", "python", "python3"),
        *("lib", "library", "libraries", "module", "modules", "package", "packages"),
    }
)
"""Words that say nothing in an index of Python packages; they count only when nothing else is asked for."""

SYNONYMS: Final[tuple[frozenset[str], ...]] = tuple(
    frozenset(group.split())
    for group in (
        "plot chart visualize visualise",
        "picture image",
        "postgres postgresql",
        "k8s kubernetes",
        "sklearn scikit",
        "ml machinelearning",
        "nlp naturallanguage",
        "regex regexp",
        "auth authentication",
        "config configuration",
        "cli commandline",
        "parse parser decode",
        "fast quick speed",
        "mail email",
        "crypto cryptography cryptographic",
        "ws websocket websockets",
        "db database databases",
        "mongo mongodb",
        "time datetime",
        "color colour colored",
        "lint linter",
        "test testing",
        "schedule scheduler scheduling",
        "excel xlsx",
        "convert conversion",
    )
)


def words(text: str) -> list[str]:
    """The words of *text* in lower case, in order, without accents; words past 40 characters are cut."""
    plain = text if text.isascii() else _without_accents(text)
    return [word[:LONGEST_WORD] for word in _WORD.findall(plain.lower())]


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def name_words(name: str) -> list[str]:
    """The words of a project's name: by separators, and by case (``BeautifulSoup`` has two)."""
    return list(dict.fromkeys([*words(name), *words(_CAMEL.sub(" ", name))]))


def compact(name: str) -> str:
    """*name* without separators, in lower case."""
    return _SEPARATORS.sub("", name).lower()


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """What *word* shares with its kin: ``parse``, ``parser``, ``parsing`` → ``pars``.

    Cuts deeper than a linguist would (``docker`` meets ``dock``); ranking prefers words that are written alike.
    """
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    word = _singular(word)
    for suffix, least in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= least:
            word = word[: -len(suffix)]
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        return word[:-1]
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


_SUFFIXES = tuple(
    (suffix, least)
    for least, group in (
        (4, "izations isation ization ators ations ating ation ative ator ated ate"),
        (4, "izing ising izers izer ized ised ize ise"),
        (3, "ings ing ers er ors or ed"),
    )
    for suffix in group.split()
)


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def stems(text: str) -> list[str]:
    """The stems of the words of *text*, in order."""
    return [stem(word) for word in words(text)]


@lru_cache(maxsize=4096)
def kin(word: str) -> tuple[str, ...]:
    """The stem of *word* and those of its synonyms."""
    own = stem(word)
    found = {own}
    for group in _SYNONYM_STEMS:
        if own in group:
            found |= group
    return (own, *sorted(found - {own}))


_SYNONYM_STEMS = tuple(frozenset(stem(word) for word in group) for group in SYNONYMS)


def name_tokens(name: str) -> Iterator[str]:
    """All that the name of a project is found by."""
    joined = compact(name)
    yield f"e:{joined}"
    yield f"x:{joined[-TAIL:]}"
    yield from (f"p:{joined[:length]}" for length in range(1, min(EDGE, len(joined)) + 1))
    yield from (f"n:{word}" for word in dict.fromkeys([*name_words(name), joined]))


def import_tokens(names: Iterable[str]) -> Iterator[str]:
    """All that import names are found by: ``google.cloud.storage`` whole, and its first part."""
    for name in names:
        lower = name.lower()
        yield f"i:{lower}"
        if "." in lower:
            yield f"i:{lower.partition('.')[0]}"


def month_tokens(prefix: str, moment: datetime) -> tuple[str, str]:
    return f"{prefix}:{moment:%Y}", f"{prefix}:{moment:%Y%m}"


def months_since(prefix: str, first: datetime, last: datetime) -> list[str]:
    """Tokens one of which every moment from *first*'s month to *last* has: months of the first year, then years."""
    months = [f"{prefix}:{first:%Y}{month:02d}" for month in range(first.month, 13)]
    return months + [f"{prefix}:{year}" for year in range(first.year + 1, last.year + 1)]
