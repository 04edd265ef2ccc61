"""The pages of real projects, as people see them: ``make popular`` looks at more of them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from tests.browser.driving import assert_accessible, chromium_running
from tests.journeys import looking
from tests.journeys.conftest import Shop

SEEN = 12
SAMPLE = 4
"""Of these pages, how many axe looks at: it takes its time."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def test_pages_of_real_projects_say_what_their_authors_wrote(full_shop: Shop) -> None:
    latest = {item.project: item for item in full_shop.stock}
    described = list(looking.descriptions(list(latest.values())))
    assert len(described) >= 40
    for item, raw, content_type in described:
        looking.assert_told(looking.page_of(item, full_shop), raw, content_type)


def test_pages_of_real_projects_are_good_on_a_phone(full_shop: Shop, chromium: Browser) -> None:
    pages = sorted({looking.page_of(item, full_shop) for item in full_shop.stock})
    chosen = pages[:: len(pages) // SEEN][:SEEN]
    assert len(chosen) == SEEN
    for number, url in enumerate(chosen):
        with looking.window(chromium, dark=bool(number % 2)) as page:
            looking.assert_good(page, url)
            if number < SAMPLE:
                assert_accessible(page)
