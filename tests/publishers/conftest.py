"""An issuer that the index knows, and what asking for a token answers."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.publishers import issuer as issuers


@pytest.fixture(autouse=True)
def _no_keys_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing depends on how fast this machine is."""
    from packhouse.publishers import keys, owners

    keys.forget()
    monkeypatch.setattr(keys, "PATIENCE", 200.0)
    monkeypatch.setattr(owners, "PATIENCE", 200.0)


@pytest.fixture
def issuer(settings: Any) -> Iterator[issuers.Issuer]:
    """A self-managed GitLab of the setting ``oidc_issuers``."""
    with issuers.running() as running:
        settings.PACKHOUSE = replace(
            settings.PACKHOUSE, oidc_issuers=(f"gitlab={running.url}",), oidc_audience=issuers.AUDIENCE
        )
        yield running


@pytest.fixture
def github(settings: Any) -> Iterator[issuers.Issuer]:
    """A GitHub Enterprise Server of the setting ``oidc_issuers``."""
    with issuers.running() as running:
        settings.PACKHOUSE = replace(
            settings.PACKHOUSE, oidc_issuers=(f"github={running.url}",), oidc_audience=issuers.AUDIENCE
        )
        yield running
