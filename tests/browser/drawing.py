"""Draws every page into the folder that SCREENSHOTS names.  Collected only when asked for: ``make screenshots``.

SCREENSHOTS_LANGUAGE is the language to draw them in.
"""

import os
from pathlib import Path

import pytest
from tests.browser.pages import PAGES, SAME


@pytest.mark.parametrize("listed", PAGES + SAME, ids=lambda listed: listed.name)
@pytest.mark.parametrize("width", [1280, 390], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_draw(visit, listed, dark, width):
    folder = Path(os.environ["SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    language = os.environ.get("SCREENSHOTS_LANGUAGE") or "en"
    page = visit(listed, width=width, dark=dark, locale=language)
    name = f"{listed.name}-{language}-{'wide' if width > 600 else 'phone'}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=folder / name, full_page=page.locator("dialog[open]").count() == 0)
