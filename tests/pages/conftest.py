"""What the tests of pages share."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """Numbers of downloads are remembered by the project's id, which the next test's project may have, too."""
    from packhouse.pages.project import views

    views._fetched.cache_clear()
