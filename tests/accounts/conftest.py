"""What tests of accounts share."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings


@pytest.fixture
def visitor(db: None) -> Any:
    """A person with a browser; ``type(visitor)()`` is one more."""
    from tests.accounts.visitor import Visitor

    return Visitor()


@pytest.fixture
def another(visitor: Any) -> Any:
    """Another browser."""
    return type(visitor)()


@pytest.fixture(autouse=True)
def _unused_limits() -> Iterator[None]:
    from packhouse.throttle import counting

    counting.place.cache_clear()
    yield
    counting.place.cache_clear()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``configure(registration="closed")`` changes the configuration for this test."""

    def change(**values: Any) -> None:
        monkeypatch.setattr(settings, "PACKHOUSE", replace(settings.PACKHOUSE, **values))

    return change
