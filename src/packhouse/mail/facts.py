"""What has become of letters."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class LetterFact(Fact):
    """Something is known of a letter.  *user_id* is None for a letter to nobody's account."""

    letter_id: int
    name: str
    to: str
    user_id: int | None


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that was handed over."""

    letter_id: int
    name: str
    user_id: int | None
    subject: str


@dataclass(frozen=True, slots=True)
class LettersSent(Fact):
    """Letters to one address were handed over."""

    to: str
    letters: tuple[Sent, ...]


@dataclass(frozen=True, slots=True)
class LetterDelivered(LetterFact):
    """The recipient's server took it."""


@dataclass(frozen=True, slots=True)
class LetterBounced(LetterFact):
    """It came back: for good (*is_permanent*: there is no such address), or for now."""

    is_permanent: bool


@dataclass(frozen=True, slots=True)
class LetterComplained(LetterFact):
    """Its recipient called it spam."""
