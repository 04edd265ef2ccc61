"""What must hold on every page, in light on a desk and in dark on the narrowest phone."""

import pytest
from tests.browser import searching
from tests.browser.driving import Listed, assert_accessible, assert_fits, assert_light, assert_valid
from tests.browser.pages import PAGES
from tests.pages import shelves

from packhouse.projects.models import Release

pytestmark = pytest.mark.browser
REFUSED = "Failed to load resource"  # what the console says of an error page


@pytest.mark.parametrize("listed", PAGES, ids=lambda listed: listed.name)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (320, True)], ids=["wide", "phone"])
def test_a_page_is_accessible_fits_and_has_no_errors(visit, listed, width, dark):
    page = visit(listed, width=width, dark=dark)
    assert_fits(page)
    assert_accessible(page)
    assert page.locator("main h1").count() == 1
    assert_light(page)
    assert [error for error in visit.errors if not error.startswith(REFUSED)] == []


def test_the_pages_of_a_busy_project_are_light_and_valid(visit, client):
    """A long changelog as its description, as large projects have."""
    readme = "# Changes\n\n" + "\n".join(
        f"## {number}.0\n\n- Fix `thing_{number}` for [somebody](https://git.example/{number * 7919})\n"
        for number in range(2000)
    )

    def busy():
        project = shelves.crates()
        shelves.publish(project, "3.0", readme=readme)
        return "/project/crates/"

    page = visit(Listed("busy", busy))
    assert len(page.content()) > 300_000
    assert_light(page)
    assert_fits(page)
    for tab in ("", "files/", "releases/", "dependencies/", "changes/", "security/"):
        assert_valid(client.get(f"/project/crates/{tab}").content.decode())
    for path in ("/", "/search/", "/search/?q=crates", "/help/", "/stats/", "/classifiers/", "/security/", "/nothing/"):
        assert_valid(client.get(path).content.decode())


def test_nothing_from_elsewhere_holds_up_the_first_paint(browser_page):
    """Style sheets and one small script of this site's own; everything else waits."""
    browser_page.goto("/")
    blocking = browser_page.evaluate(
        "performance.getEntriesByType('resource').filter((entry) => entry.renderBlockingStatus === 'blocking')"
        ".map((entry) => [new URL(entry.name).host === location.host, entry.transferSize])"
    )
    assert blocking
    assert all(own for own, _ in blocking)
    assert sum(size for _, size in blocking) < 60_000


@pytest.mark.parametrize(
    ("make", "what"), [(searching.results, ".hits p"), (shelves.crates, ".summary"), (shelves.crates, ".facts dd[dir]")]
)
def test_a_text_of_another_direction_begins_where_the_lines_of_the_page_do(visit, make, what):
    """Otherwise the summary of a project stands at the far end of a Hebrew page, away from its name."""

    def there():
        made = make()
        Release.objects.update(metadata=dict(shelves.METADATA, license_expression="", license="Public domain"))
        return made if isinstance(made, str) else "/project/crates/"

    page = visit(Listed("other", there), locale="he")
    assert page.locator("html").get_attribute("dir") == "rtl"
    assert page.locator(what).first.evaluate("(element) => getComputedStyle(element).textAlign") == "right"
