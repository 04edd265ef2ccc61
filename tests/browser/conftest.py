"""A browser, an index for it to visit, and a way to sign in."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browser.driving import PATIENCE, Visit, chromium_running
from tests.servers.packhouse import Running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One browser for this folder's tests; pages come from contexts of their own.

    It does not outlive them: while Playwright runs, other tests could not run an event loop in this thread.
    """
    with chromium_running() as browser:
        yield browser


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
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
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
