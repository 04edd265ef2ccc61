"""What is said in an attestation, as it is kept beside it for people.  Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Statement:
    """A verified statement about a file.

    ``kind`` is the URI of the statement's type, ``predicate`` that of its predicate's; ``subject`` is the file name
    that was signed.  ``log_index`` and ``log_time`` (seconds since 1970) say where it stands in the transparency log;
    ``claims`` are those of the certificate, see ``claims.NAMES``.
    """

    kind: str
    predicate: str
    subject: str
    log_index: int
    log_time: int
    claims: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        return cls(**said)


@dataclass(frozen=True, slots=True)
class Verified:
    """The provenance of a file that has passed: its JSON as it will be served, and what to tell people of it."""

    body: str
    publisher: Mapping[str, str | None]
    statements: tuple[Statement, ...]
