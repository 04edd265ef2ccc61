"""Limits and verdicts: plain values."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property

from limits import RateLimitItem, parse_many


@dataclass(frozen=True)
class Limit:
    """At most so many hits in a time, for each key: ``Limit("project.create.user", "20 per hour")``.

    ``rate`` may hold several windows, narrow ones first: ``"5 per 5 minutes; 20 per hour"``.  ``scope`` says what the
    key is (``ip`` or ``user``), for the header.
    """

    name: str
    rate: str
    scope: str = "ip"

    def __post_init__(self) -> None:
        _ = self.windows  # raises ValueError for a rate that cannot be read

    @cached_property
    def windows(self) -> tuple[RateLimitItem, ...]:
        return tuple(parse_many(self.rate))

    def names(self) -> list[str]:
        """One name for each window: the limit's own, or numbered ones where there are several."""
        if len(self.windows) == 1:
            return [self.name]
        return [f"{self.name}-{number}" for number in range(len(self.windows))]

    def keys(self, key: tuple[object, ...]) -> list[str]:
        """What the hits of *key* are counted under, one text for each window; the key itself cannot be read from it."""
        digest = hashlib.blake2b(json.dumps([str(part) for part in key]).encode(), digest_size=16).hexdigest()
        return [f"{name}:{digest}" for name in self.names()]


@dataclass(frozen=True, slots=True)
class Usage:
    """How far one window is used: hits that are left, and seconds until the window ends."""

    admitted: bool
    remaining: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit says, and how far each of its windows is used."""

    windows: tuple[Usage, ...]

    @property
    def allowed(self) -> bool:
        return all(window.admitted for window in self.windows)

    @property
    def remaining(self) -> int:
        return min(window.remaining for window in self.windows)

    @property
    def reset_seconds(self) -> int:
        """Seconds until the window that holds longest ends, among those that refuse; else of the most used one."""
        refusing = [window.reset_seconds for window in self.windows if not window.admitted]
        return max(refusing) if refusing else min(self.windows, key=lambda window: window.remaining).reset_seconds
