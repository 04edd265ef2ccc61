"""What is wanted → what the engine is asked.  Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time

from packhouse.search import analysis
from packhouse.search.expressions import ALL, But, Expression, Phrase, Start, Token, every, some
from packhouse.search.language import Wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of a search as ranking and matching need them.

    ``words`` without stop words, unless there are only such; ``joined`` is all that was typed without separators, and
    ``chunk`` the same in lower case if it is one word to people (``google.cloud.storage``), else empty.  ``weighed``
    are the words that results are ranked by: those of phrases, too.
    """

    words: tuple[str, ...]
    joined: str
    chunk: str
    weighed: tuple[str, ...]


def asked(wanted: Wanted) -> Asked:
    quoted = [word for phrase in wanted.phrases for word in phrase]
    typed = wanted.text.strip() if wanted.plain and not wanted.filters else " ".join(wanted.words)
    if not wanted.plain:
        typed = " ".join([*wanted.names, *wanted.imports, *wanted.words, *quoted, *wanted.beginnings])
    telling = tuple(word for word in wanted.words if word not in analysis.STOP_WORDS)
    chunk = typed.lower() if " " not in typed else ""
    words = telling or wanted.words
    return Asked(words, analysis.compact(typed), chunk, (*words, *quoted))


def filters(wanted: Wanted, facets: Iterable[int], now: datetime) -> Expression:
    """What narrows the results, whatever was typed."""
    parts: list[Expression] = [Token(f"f:{facet}") for facet in facets]
    if wanted.since:
        first = datetime.combine(wanted.since, time(), UTC)
        parts.append(some(*map(Token, analysis.months_since("u", first, max(first, now)))))
    return every(*parts)


def text(wanted: Wanted) -> Expression:
    """What was typed."""
    parts: list[Expression] = []
    if wanted.words:
        parts.append(_words(wanted))
    parts += [Phrase(tuple(map(analysis.stem, phrase))) for phrase in wanted.phrases]
    parts += [_beginning(analysis.compact(word)) for word in wanted.beginnings]
    parts += [_name(name) for name in wanted.names]
    parts += [Token(f"i:{name.lower()}") for name in wanted.imports]
    found = every(*parts)
    for phrase in wanted.without:
        stems = tuple(map(analysis.stem, phrase))
        found = But(found, Token(stems[0]) if len(stems) == 1 else Phrase(stems))
    return found


def _words(wanted: Wanted) -> Expression:
    """All words; or a name or import name that is them, or begins with them, written together."""
    what = asked(wanted)
    found = every(*(word(each) for each in what.words))
    if not wanted.plain:
        return found
    alternatives = [found, prefix(what)] if len(what.joined) > 1 else [found, Token(f"e:{what.joined}")]
    return some(*alternatives, *([Token(f"i:{what.chunk}")] if what.chunk else []))


def word(each: str) -> Expression:
    """A word in any field, its kin, or a part of a name that is written so."""
    return some(*map(Token, analysis.kin(each)), Token(f"n:{each}"))


def relaxed(wanted: Wanted) -> Expression:
    """All words but one, whichever; for when all are too many.  There are at least two."""
    words = asked(wanted).words[:6]
    return some(*(every(*(word(each) for each in words if each != left_out)) for left_out in words))


def prefix(what: Asked) -> Expression:
    """Names that begin with what was typed."""
    return _start_of_name(what.joined)


def exact(what: Asked) -> Expression:
    """The name, or the import name, that was typed."""
    return some(Token(f"e:{what.joined}"), *([Token(f"i:{what.chunk}")] if what.chunk else []))


def in_name(what: Asked) -> Expression:
    """All words in the name."""
    return every(*(Token(f"n:{each}") for each in what.words))


def _start_of_name(joined: str) -> Expression:
    return Token(f"p:{joined}") if len(joined) <= analysis.EDGE else Start(f"e:{joined}")


def _beginning(word: str) -> Expression:
    """A word of which the beginning is known; very short ones are looked for at the beginning of names alone."""
    return some(_start_of_name(word), Start(word), Start(f"n:{word}")) if len(word) > 3 else _start_of_name(word)


def _name(name: str) -> Expression:
    if name.endswith("*"):
        return _start_of_name(analysis.compact(name.rstrip("*")))
    words = analysis.words(name)
    return every(*(Token(f"n:{each}") for each in words)) if words else ALL
