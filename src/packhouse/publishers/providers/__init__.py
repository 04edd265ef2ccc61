"""What claims mean, one module a provider."""

from collections.abc import Mapping
from typing import Final

from packhouse.publishers.providers import activestate, github, gitlab, google
from packhouse.publishers.providers.provider import Provider

PROVIDERS: Final[Mapping[str, Provider]] = {
    provider.kind: provider for provider in (github.PROVIDER, gitlab.PROVIDER, google.PROVIDER, activestate.PROVIDER)
}
"""By kind, in the order in which people choose from them."""
