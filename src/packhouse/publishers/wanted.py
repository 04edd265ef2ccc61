"""A publisher as somebody wants to have it: everything that is known of it before there is a row."""

from collections.abc import Mapping
from dataclasses import dataclass

from packhouse.publishers.issuers import provider_of
from packhouse.publishers.models import Trusted
from packhouse.publishers.providers.provider import Issuer, address


@dataclass(frozen=True, slots=True)
class Wanted:
    """``fields`` as its provider has them, ``pinned`` as in ``models.Trusted``."""

    issuer: Issuer
    fields: Mapping[str, str]
    pinned: str = ""

    @classmethod
    def of(cls, trusted: Trusted, **change: str) -> "Wanted":
        """What *trusted* is, but for the fields that change."""
        return cls(Issuer(trusted.kind, trusted.issuer), {**trusted.fields, **change}, trusted.pinned)

    @property
    def address(self) -> str:
        return address(provider_of(self.issuer), self.issuer, self.fields)

    @property
    def words(self) -> str:
        return provider_of(self.issuer).words(self.fields)

    @property
    def columns(self) -> dict[str, object]:
        """The columns of a row that it is."""
        return {
            "kind": self.issuer.kind,
            "issuer": self.issuer.url,
            "fields": dict(self.fields),
            "address": self.address,
            "pinned": self.pinned,
        }
