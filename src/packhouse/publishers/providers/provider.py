"""What every provider has to answer, and how claims are read.

A provider's *fields* are a mapping of texts; which ones, its module says.  Claims are what the issuer has signed: they
may be of any type, and what is not of the right one is refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from packhouse.base.identity import AttestationIdentity

Claims = Mapping[str, Any]
Fields = Mapping[str, str]


class ClaimsRefused(ValueError):
    """The claims are not those of the publisher; the message says which is not, for whoever runs the job."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs: the URL exactly as in ``iss``, and the kind of provider that it is."""

    kind: str
    url: str

    @property
    def host(self) -> str:
        """Host and port, with the path where it has one."""
        return self.url.partition("://")[2]


class Provider(Protocol):
    """One kind of issuer."""

    kind: str
    name: str
    issuer: str
    """The URL of the public one."""
    kept: tuple[str, ...]
    """The claims that stay with a minted token."""

    def telling(self, fields: Fields) -> Sequence[str]:
        """Those fields that tell publishers apart, in the spelling in which equals are equal."""
        ...

    def candidates(self, claims: Claims) -> Sequence[Fields]:
        """Whom the claims could be those of, the most particular first.  Raises ``ClaimsRefused``."""
        ...

    def pin(self, claims: Claims) -> str:
        """The number that outlives names; empty where the provider has none.  Raises ``ClaimsRefused``."""
        ...

    def check(self, claims: Claims, fields: Fields, issuer: Issuer) -> None:
        """Raises ``ClaimsRefused`` unless everything in the claims is as a publisher with these fields has it."""
        ...

    def words(self, fields: Fields) -> str:
        """The publisher in one line, for people."""
        ...

    def url(self, fields: Fields, issuer: Issuer) -> str:
        """Where people see what the publisher runs; empty where there is no such place."""
        ...

    def source(self, fields: Fields, issuer: Issuer) -> str:
        """The address below which everything is the publisher's own; empty where there is none."""
        ...

    def attestation_identity(self, fields: Fields, issuer: Issuer) -> AttestationIdentity | None:
        """What attestations by the publisher have to name (PEP 740); None where it makes none."""
        ...


def address(provider: Provider, issuer: Issuer, fields: Fields) -> str:
    """What a publisher is looked up by: nobody but this very issuer can have it."""
    told = json.dumps([provider.kind, issuer.url, *provider.telling(fields)])
    return hashlib.sha256(told.encode()).hexdigest()


def text(claims: Claims, name: str) -> str:
    """The claim *name*, which must be there as a text that is not empty."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise ClaimsRefused(f"the claim {name} is missing")
    return value


def optional(claims: Claims, name: str) -> str:
    """The claim *name*, empty where it is missing."""
    value = claims.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ClaimsRefused(f"the claim {name} is no text")
    return value


def must_equal(claims: Claims, name: str, expected: str, *, any_case: bool = False) -> None:
    """Refuse claims whose *name* is not as *expected*."""
    found = text(claims, name)
    if found != expected and not (any_case and found.lower() == expected.lower()):
        raise ClaimsRefused(f"the claim {name} is {found[:200]!r}")
