"""What must hold on every page, in light on a desk and in dark on the narrowest phone."""

import pytest
from tests.browser.driving import assert_accessible, assert_fits
from tests.browser.pages import PAGES

pytestmark = pytest.mark.browser
REFUSED = "Failed to load resource"  # what the console says of an error page


@pytest.mark.parametrize("listed", PAGES, ids=lambda listed: listed.name)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)], ids=["wide", "phone"])
def test_a_page_is_accessible_fits_and_has_no_errors(visit, listed, width, dark):
    page = visit(listed, width=width, dark=dark)
    assert_fits(page)
    assert_accessible(page)
    assert page.locator("main h1").count() == 1
    assert [error for error in visit.errors if not error.startswith(REFUSED)] == []
