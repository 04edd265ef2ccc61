"""Opening pages and judging them."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import html5lib
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from tests.servers.processes import program

PATIENCE = 120_000
"""Milliseconds, for what hangs: a busy machine is no fault of a page."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MOST_BYTES = 150_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def chromium_running() -> Iterator[Browser]:
    """A browser, which lives as long as the block; while it does, this thread can run no event loop."""
    path = program("chromium", package="chromium")
    # Playwright keeps an event loop running in this thread, which Django would take for asynchronous code
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True, timeout=PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass(frozen=True)
class Listed:
    """A page that is looked at in every state of light and width.

    ``path`` is where it is, or a function that makes what it shows and returns where it is; ``user`` makes the one who
    is signed in, just now unless ``proved`` is false; ``then`` does something on the open page (opens a dialog, sends a
    form) before it is looked at.
    """

    name: str
    path: str | Callable[[], str]
    user: Callable[[], Any] | None = None
    then: Callable[[Page], None] | None = None
    proved: bool = True


@dataclass
class Visit:
    """Opens listed pages, each in a browser of its own."""

    new_context: Callable[..., BrowserContext]
    errors: list[str] = field(default_factory=list)

    def __call__(self, listed: Listed, *, width: int = 1280, dark: bool = False, **options: Any) -> Page:
        options.setdefault("viewport", {"width": width, "height": 844 if width < 600 else 800})
        context = self.new_context(color_scheme="dark" if dark else "light", reduced_motion="reduce", **options)
        path = listed.path if isinstance(listed.path, str) else listed.path()
        page = context.new_page()
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        if listed.user is not None:
            page.goto("/theme.css")  # somewhere, so that cookies have an address
            sign_in(context, page.url, listed.user(), proved=listed.proved)
        page.goto(path)
        if listed.then is not None:
            listed.then(page)
        return page


def sign_in(context: BrowserContext, url: str, user: Any, *, proved: bool = True) -> None:
    """Gives *context* a session of *user* on the site that *url* belongs to."""
    from django.conf import settings
    from tests.factories.accounts import signed_in

    client = signed_in(user, proved=proved)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": url}])


def press(target: Locator) -> None:
    """Click *target*, which leads to another page, and wait until that page is there.

    A click by itself is over before what it leads to begins: whatever reads the page right after it reads the old one.
    """
    with target.page.expect_navigation():
        target.click()


def assert_accessible(page: Page) -> None:
    """Asserts that axe finds nothing against WCAG 2.2 AA or good practice on *page* as it is now."""
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = Axe().run(page, options=options).response["violations"]
    report = [
        f"{rule['id']}: {rule['help']}\n    {node['html'][:200]}\n    {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert not report, "\n".join(report)


def assert_fits(page: Page) -> None:
    """Asserts that *page* does not scroll sideways."""
    excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert excess <= 0, f"{page.url} is {excess} px wider than the window"


def assert_light(page: Page) -> None:
    """Asserts that *page* weighs no more than ``MOST_BYTES`` on the wire, and asks no other host for anything."""
    loaded = page.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".map((entry) => [entry.name, entry.transferSize])"
    )
    here = page.url.split("/", 3)[2]
    assert [name for name, _ in loaded if name.split("/", 3)[2] != here] == []
    assert sum(size for _, size in loaded) <= MOST_BYTES, loaded


def assert_valid(html: str) -> None:
    """Asserts that the HTML standard's parser has nothing to put right in *html*, and that each id is there once."""
    parser = html5lib.HTMLParser()
    document = parser.parse(html)
    assert [(place, code) for place, code, _ in parser.errors] == []
    ids = Counter(element.get("id") for element in document.iter() if element.get("id"))
    assert [name for name, number in ids.items() if number > 1] == []
