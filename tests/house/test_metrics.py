"""What the metrics promise is really counted."""

import re

import pytest
from tests.house.repository import ROOT

from packhouse.base.metrics import COUNTERS, GAUGES

COUNTED_BY_THE_FRONT_DOOR = {"packhouse_response_bytes", "packhouse_downloads", "packhouse_document_cache"}
SOURCES = "".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))


@pytest.mark.parametrize("name", sorted({*COUNTERS, *GAUGES} - COUNTED_BY_THE_FRONT_DOOR))
def test_somebody_counts_what_is_declared(name: str) -> None:
    assert re.search(rf'(?:count|level)\(\s*"{name}"', SOURCES)
