"""What happens to flags."""

from dataclasses import dataclass

from packhouse.base.facts import Fact


@dataclass(frozen=True, slots=True)
class FlagTurned(Fact):
    """Somebody turned a flag on or off, or turned it to where it was."""

    name: str
    enabled: bool
