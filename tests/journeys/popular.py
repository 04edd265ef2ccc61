"""Publishes what ``popular.txt`` lists and looks at every page.  Collected only when asked for: ``make popular``.

Where ``SCREENSHOTS`` names a folder, each page is drawn into it as it is looked at: in light and dark, wide and on a
phone.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.driving import assert_accessible, chromium_running
from tests.journeys import looking
from tests.journeys.clients import Clients, table
from tests.journeys.conftest import Shop, fetched, fill, open_shop

PROJECTS = [name.partition("==")[0] for name, *_ in table("popular.txt")]
EACH = 4
"""Of so many projects, axe looks at the pages of one."""
TALLEST = 2400
"""Pixels of a page that are drawn."""


@pytest.fixture(scope="module")
def shelves(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, client: Clients
) -> Iterator[Shop]:
    stock = fetched("popular.txt", client)
    with open_shop(request, tmp_path_factory.mktemp("popular"), "popular") as shop:
        fill(shop, stock, client)
        yield replace(shop, stock=tuple(stock))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with chromium_running() as browser:
        yield browser


def test_there_are_many() -> None:
    assert len(set(PROJECTS)) >= 100


@pytest.mark.parametrize("project", PROJECTS)
def test_a_page_says_what_its_authors_wrote(shelves: Shop, project: str) -> None:
    (item,) = (item for item in shelves.stock if item.project == project)
    ((_, raw, content_type),) = looking.descriptions([item])
    looking.assert_told(looking.page_of(item, shelves), raw, content_type)


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("width", [1280, 360], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_is_good(shelves: Shop, chromium: Browser, project: str, dark: bool, width: int) -> None:
    with looking.window(chromium, width=width, dark=dark) as page:
        looking.assert_good(page, f"{shelves.index.url}/project/{project}/")
        draw(page, f"{project}-{'wide' if width > 600 else 'phone'}-{'dark' if dark else 'light'}.png")
        if PROJECTS.index(project) % EACH == 0:
            assert_accessible(page)


def draw(page: Page, name: str) -> None:
    if not (folder := os.environ.get("SCREENSHOTS")):
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    width, height = page.evaluate("[document.documentElement.clientWidth, document.documentElement.scrollHeight]")
    part = {"x": 0, "y": 0, "width": width, "height": min(TALLEST, height)}
    page.screenshot(path=Path(folder) / name, full_page=True, clip=part)
