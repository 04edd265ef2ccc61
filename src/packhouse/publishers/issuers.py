"""The issuers whose identity tokens are looked at: the public ones, and those of the setting ``oidc_issuers``."""

from collections.abc import Sequence

from django.conf import settings

from packhouse.base.values import issuer_of
from packhouse.flags import queries as flags
from packhouse.publishers.providers import PROVIDERS
from packhouse.publishers.providers.provider import Issuer, Provider


def all_issuers() -> Sequence[Issuer]:
    """Every issuer that is known, the public ones first."""
    public = [Issuer(provider.kind, provider.issuer) for provider in PROVIDERS.values()]
    return [*public, *own_issuers()]


def own_issuers() -> Sequence[Issuer]:
    """Those of the setting ``oidc_issuers``."""
    return [Issuer(*issuer_of(text)) for text in settings.PACKHOUSE.oidc_issuers]


def issuer_at(url: str) -> Issuer | None:
    """The issuer that calls itself exactly *url*."""
    return next((issuer for issuer in all_issuers() if issuer.url == url), None)


def issuers_of(kind: str) -> list[Issuer]:
    """The issuers of that kind of provider, the public one first."""
    return [issuer for issuer in all_issuers() if issuer.kind == kind]


def provider_of(issuer: Issuer) -> Provider:
    return PROVIDERS[issuer.kind]


def is_enabled(kind: str) -> bool:
    """Whether publishers of that kind can be used and added: no flag says otherwise."""
    return is_switched_on() and not flags.is_on(f"disallow-{kind}-oidc")


def is_switched_on() -> bool:
    """Whether there is trusted publishing at all."""
    return not flags.is_on("disallow-oidc")
