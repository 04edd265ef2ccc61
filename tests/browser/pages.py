"""Every page that people see.  Add yours here: it is then checked and drawn like all others."""

from tests.browser.driving import Listed
from tests.factories.accounts import make_user


def staff():
    return make_user(is_superuser=True)


def _wrong(page):
    page.locator("main form[method=post]").first.get_by_role("button", name="Save").click()


def _ask(page):
    page.get_by_role("link", name="Delete project").first.click()
    page.locator("dialog input[type=text]").wait_for()


PAGES = [
    Listed("home", "/"),
    Listed("style", "/_style/", staff),
    Listed("style-flash", "/_style/?flash", staff),
    Listed("style-errors", "/_style/", staff, _wrong),
    Listed("style-confirm", "/_style/confirm/", staff),
    Listed("style-dialog", "/_style/", staff, _ask),
    Listed("error-404", "/nothing/here/"),
    Listed("error-503", "/_style/error/503/", staff),
]
