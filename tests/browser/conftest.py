"""A browser, an index for it to visit, and a way to sign in."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.browser.driving import Visit
from tests.servers.packhouse import Running
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


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder's tests; pages come from contexts of their own.

    It does not outlive them: while Playwright runs, other tests could not run an event loop in this thread.
    """
    path = program("chromium", package="chromium")
    # Playwright keeps an event loop running in this thread, which Django would take for asynchronous code
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True, timeout=PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def site(transactional_db: None) -> Iterator[str]:
    """The address of Django serving this test's database from threads of this process."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
    from django.core.wsgi import get_wsgi_application

    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: Any) -> None:
            """Says nothing: what matters is what the browser saw."""

    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet, allow_reuse_address=False)
    server.set_app(get_wsgi_application())
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def new_context(chromium: Browser, site: str) -> Iterator[Callable[..., BrowserContext]]:
    """``new_context(**options)``: a browser without cookies, at home on ``site``."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        contexts.append(chromium.new_context(**{"base_url": site} | options))
        contexts[-1].set_default_timeout(PATIENCE)
        return contexts[-1]

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def browser_page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page 1280 wide on which ``goto("/path/")`` works; the test's end closes it."""
    return new_context(viewport={"width": 1280, "height": 800}).new_page()


@pytest.fixture
def live_page(chromium: Browser, live_server_process: Running) -> Iterator[Page]:
    """A page of a whole running index, front door included."""
    with chromium.new_context(base_url=live_server_process.url) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


@pytest.fixture
def visit(new_context: Callable[..., BrowserContext]) -> Visit:
    """``visit(page, …)`` opens a page of the list ``pages.PAGES``."""
    return Visit(new_context)
