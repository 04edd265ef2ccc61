"""An origin, and an index that may ask it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.images.origin import Origin, running

from packhouse.images import queries


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running() as origin:
        yield origin


@pytest.fixture
def proxy(settings: Any, tmp_path: Any, origin: Origin) -> Iterator[Origin]:
    """The proxy is on, has an empty shelf, and may ask the origin on this machine."""
    settings.PACKHOUSE = replace(
        settings.PACKHOUSE, image_proxy=True, image_networks=("127.0.0.0/8",), home=tmp_path, image_cache_size=1024**2
    )
    for remembered in (queries.shelf, queries._turns):
        remembered.cache_clear()
    yield origin
    for remembered in (queries.shelf, queries._turns):
        remembered.cache_clear()
