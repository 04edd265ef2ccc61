"""What must hold on every page: see docs/concepts and /_style/."""

import os
from pathlib import Path

import pytest
from tests.browser.driving import assert_accessible, assert_fits
from tests.browser.pages import PAGES

pytestmark = pytest.mark.browser
each_page = pytest.mark.parametrize("listed", PAGES, ids=lambda listed: listed.name)
SCREENSHOTS = os.environ.get("SCREENSHOTS")
EXPECTED = ("Failed to load resource",)  # what the console says of an error page


@each_page
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_is_accessible_and_without_errors(visit, listed, dark):
    page = visit(listed, dark=dark)
    assert_accessible(page)
    assert page.locator("main h1").count() == 1
    assert [error for error in visit.errors if not error.startswith(EXPECTED)] == []


@each_page
def test_a_page_fits_a_narrow_phone(visit, listed):
    page = visit(listed, width=320)
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.skipif(not SCREENSHOTS, reason="make screenshots draws the pages")
@each_page
@pytest.mark.parametrize("width", [1280, 390], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_draw(visit, listed, dark, width):
    folder = Path(SCREENSHOTS)
    folder.mkdir(parents=True, exist_ok=True)
    page = visit(listed, width=width, dark=dark)
    name = f"{listed.name}-{'wide' if width > 600 else 'phone'}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=folder / name, full_page=page.locator("dialog[open]").count() == 0)
