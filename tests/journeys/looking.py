"""Looking at the pages of projects that many people use, whose descriptions were written for another index."""

import re
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import html5lib
from playwright.sync_api import Browser, Page
from readme_renderer import markdown, rst, txt
from tests.browser.driving import PATIENCE, assert_fits, assert_light, assert_valid
from tests.journeys.conftest import Distribution, Shop

WATCH = """
window.reports = [];
document.addEventListener("securitypolicyviolation", (event) => window.reports.push(
  `${event.violatedDirective} ${event.blockedURI}`));
"""
RENDERERS = {"text/markdown": markdown, "text/x-rst": rst, "text/plain": txt}
WORD = re.compile(r"\w{3,}")
SHOWN = 0.97
"""Of the words that the field's own renderer shows, how many must be on the page: a few are of pictures."""
MORE = 1.1
"""Times as many words as that renderer shows are on the page at most: markup that is not understood is more text."""
UNSEEN = {"script", "style", "template", "svg"}


def page_of(item: Distribution, shop: Shop) -> str:
    return f"{shop.index.url}/project/{item.project}/{item.version}/"


def descriptions(stock: list[Distribution]) -> Iterator[tuple[Distribution, str, str]]:
    """The wheels among *stock* that describe their project, with the text and its type."""
    for item in stock:
        if item.path.suffix == ".whl":
            said = _metadata(item.path)
            if str(said.get_payload()).strip() not in {"", "UNKNOWN"}:  # the word of old build tools for nothing
                yield item, said.get_payload(), said.get("Description-Content-Type", "")


def _metadata(wheel: Path) -> Any:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        return BytesParser().parsebytes(archive.read(name))


def assert_told(url: str, raw: str, content_type: str) -> None:
    """Asserts that the page at *url* is valid HTML, and says what the field's own renderer makes of *raw*."""
    with urllib.request.urlopen(url, timeout=120) as answer:
        html = answer.read().decode()
    assert_valid(html)
    renderer = RENDERERS[content_type.partition(";")[0].strip().lower() or "text/x-rst"]
    expected = renderer.render(raw)  # type: ignore[attr-defined]
    if expected is None:
        return
    there, here = _words(html5lib.parse(expected, namespaceHTMLElements=False)), _words(_readme(html, url))
    missing = there - here
    assert missing.total() <= (1 - SHOWN) * there.total() + 3, (url, missing.most_common(20))
    assert here.total() <= MORE * there.total() + 20, (url, (here - there).most_common(20))


def _readme(html: str, url: str) -> Any:
    document = html5lib.parse(html, namespaceHTMLElements=False)
    found = [element for element in document.iter("div") if "readme" in (element.get("class") or "").split()]
    assert len(found) == 1, f"{url} shows no description"
    return found[0]


def _words(element: Any) -> Counter[str]:
    return Counter(WORD.findall(" ".join(_texts(element))))


def _texts(element: Any) -> Iterator[str]:
    if element.tag in UNSEEN:
        return
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        yield child.tail or ""


@contextmanager
def window(chromium: Browser, *, width: int = 360, dark: bool = False) -> Iterator[Page]:
    """A page in a window of that many pixels, which notes what its policy forbids."""
    colours: Any = "dark" if dark else "light"
    size: Any = {"width": width, "height": 800}
    with chromium.new_context(color_scheme=colours, viewport=size, reduced_motion="reduce") as context:
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WATCH)
        yield context.new_page()


def assert_good(page: Page, url: str) -> None:
    """Asserts that the page at *url* is light, fits, is whole, and did nothing that it may not; leaves it open."""
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    assert_fits(page)
    assert_light(page)
    assert page.locator("main h1").count() == 1
    assert (errors, page.evaluate("window.reports")) == ([], []), url
