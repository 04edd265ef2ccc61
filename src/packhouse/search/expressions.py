"""What an engine is asked to match: tokens, joined by and, or, not.  Each engine writes them its own way."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """The token itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Start:
    """Any token that begins so."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens right after each other."""

    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """All parts; there is at least one."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the parts; there is at least one."""

    parts: "tuple[Expression, ...]"


@dataclass(frozen=True, slots=True)
class But:
    """One expression and not the other."""

    wanted: "Expression"
    unwanted: "Expression"


Expression = Token | Start | Phrase | Every | Some | But
ALL = Token("k:all")
TOP = Token("k:top")


def every(*parts: "Expression") -> "Expression":
    """All *parts*; everything when there are none."""
    useful = tuple(part for part in parts if part != ALL)
    if not useful:
        return ALL
    return useful[0] if len(useful) == 1 else Every(useful)


def some(*parts: "Expression") -> "Expression":
    """One of *parts*, of which there is at least one."""
    distinct = tuple(dict.fromkeys(parts))
    return distinct[0] if len(distinct) == 1 else Some(distinct)
