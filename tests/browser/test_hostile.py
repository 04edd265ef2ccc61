"""What strangers write does nothing to its readers."""

from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
from tests.builders import make_wheel
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.images.origin import running
from tests.pages import hostile, shelves

from packhouse.images import queries as images
from packhouse.projects.models import Description, Project
from packhouse.search import actions as search
from packhouse.throttle.limit import Limit
from packhouse.uploads.rendering import RenderingFailed, render

pytestmark = pytest.mark.browser
AT_ONCE = 150
ROUNDS = 12
WATCH = """
window.reports = [];
window.pwned = () => window.reports.push("executed");
for (const name of ["alert", "confirm", "prompt"]) window[name] = window.pwned;
document.addEventListener("securitypolicyviolation", (event) => window.reports.push(
  `${event.violatedDirective} ${event.blockedURI}`));
"""
TOUCH = """
() => {
  for (const link of document.querySelectorAll("main a[href]")) {
    link.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
    if (!/^(https?|mailto):/.test(link.protocol)) window.reports.push(`link ${link.href}`);
  }
  for (const element of document.querySelectorAll("main *")) {
    for (const { name } of element.attributes) if (/^on|style|srcdoc|formaction/.test(name)) window.reports.push(name);
  }
  const readme = document.querySelector(".readme");
  if (readme && !getComputedStyle(readme).contain.match(/content|paint/)) window.reports.push("paints outside");
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) window.reports.push(`${root.scrollWidth - root.clientWidth} px too wide`);
  const own = ["account", "announcer", "reveal-button", "main"];
  for (const id of own) if (document.querySelectorAll(`#${id}`).length !== 1) window.reports.push(`id ${id}`);
  return window.reports;
}
"""


def rendered(kind, text):
    try:
        return render(text, kind)
    except RenderingFailed:
        return ""  # refused at upload


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Tests ask faster than people."""
    monkeypatch.setattr("packhouse.search.views.SEARCHES", Limit("search.tests", "100000 per second"))


@pytest.fixture
def reports(new_context):
    """``reports(path)``: what the browser had to report of a page, the requests for other hosts included."""
    context = new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "127.0.0.1" not in request.url else None)
    page.on("dialog", lambda dialog: (asked.append("dialog"), dialog.dismiss()))

    def visit(path, status=200, *, within=True):
        asked.clear()
        assert page.goto(path).status == status
        return page.evaluate(TOUCH if within else "window.reports ?? []") + asked

    return visit


def test_no_description_does_anything_to_its_readers(reports):
    project = make_project("hostile")
    shelves.publish(project, "1.0", readme="x", html="x")
    pieces = [(kind, text, rendered(kind, text)) for kind, text in hostile.DESCRIPTIONS]
    assert len(set(hostile.DESCRIPTIONS)) >= 1000
    assert sum(bool(html) for _, _, html in pieces) >= 800  # the others are refused
    assert not any("root:" in html for _, _, html in pieces)
    for start in range(0, len(pieces), AT_ONCE):
        together = pieces[start : start + AT_ONCE]
        Description.objects.update(html="<hr>".join(html for _, _, html in together))
        assert reports("/project/hostile/") == [], [text[:200] for _, text, _ in together]


@pytest.mark.parametrize(
    "text", [hostile.EVENTS[0], hostile.HTML[6], hostile.ADDRESSES[0], hostile.CLASSES[0], hostile.STYLES[0]]
)
def test_the_watch_sees_what_it_watches_for(reports, text):
    """Shown as it was written, each of these is reported."""
    shelves.publish(make_project("hostile"), "1.0", readme="x", html=text.replace("site-header", "main"))
    assert reports("/project/hostile/") != []


def test_no_description_does_anything_when_its_pictures_are_shown(reports, settings, monkeypatch):
    """The same marks, made pictures: what follows ``src`` and ``alt`` is written by authors, too."""
    settings.PACKHOUSE = replace(settings.PACKHOUSE, image_proxy=True)
    monkeypatch.setattr("packhouse.images.views.picture", lambda url, may_fetch: None)
    project = make_project("hostile")
    words = [text for text in hostile.METADATA if "]" not in text and "\n" not in text]
    readme = "\n\n".join(
        f"![{text}](https://a.example/{at}.png) [![{text}](http://b/{at}?'><x)](https://c.example/)"
        for at, text in enumerate(words)
    )
    html = rendered("text/markdown", readme)
    assert html.count('class="image"') > len(words)
    shelves.publish(project, "1.0", readme="x", html=html)
    assert reports("/project/hostile/") == []


def test_no_metadata_does_anything_to_its_readers(reports):
    """Every text in every field: the texts move on from field to field, a release for each round."""
    stored = [text.replace("\0", "\\x00") for text in hostile.METADATA]  # as uploads read it
    project = make_project("hostile", owner=make_user("packer", name=stored[0][:100]))
    shelves.publish(project, "1.0", release={"metadata": {"requires_dist": stored[:3]}})
    each = -(-len(stored) // ROUNDS)
    for number in range(ROUNDS):
        texts = stored[number * each :] + stored[: number * each]
        some = " ".join(texts[:each])
        said = {
            "summary": some[:512],
            "author": some,
            "author_email": f"{some} <a@b.example>",
            "maintainer": texts[3],
            "maintainer_email": f'"{texts[4]}" <{texts[5]}@b.example>',
            "license": some,
            "license_expression": some if number % 2 else "",
            "license_file": texts[:12],
            "keywords": texts[:60],
            "classifier": [f"{text} :: {text}" for text in texts[:60]],
            "requires_dist": [*texts[:60], f"x; extra == '{texts[0]}'", f"x @ {texts[1]}"],
            "provides_extra": texts[:60],
            "import_name": texts[:60],
            "import_namespace": texts[60:90],
            "project_url": [
                *(f"{text[:30]}, {text}" for text in texts[:60]),
                *(f"{text[:60]}, https://ok.example/{at}" for at, text in enumerate(texts[:each])),
                "Homepage, javascript:pwned()",
                'Docs, https://x.example/" onclick=pwned()',
            ],
            "home_page": "javascript:pwned()",
            "download_url": "data:text/html,<script>pwned()</script>",
            "requires_python": texts[5],
        }
        version = f"1.{number + 1}"
        fields = {
            "metadata": said,
            "yanked": True,
            "yanked_reason": some,
            "uploaded_via": some[:500],
            "verified": texts,
        }
        shelves.publish(project, version, release=fields, comment=some[:250], sboms=texts[:3])
        Project.objects.update(status="archived", status_reason=some[:500])
        tabs = ("", "files/", "releases/", "dependencies/", "security/", "changes/?since=1.0")
        for tab in tabs if number == 0 else (tabs[number % len(tabs)], ""):
            assert reports(f"/project/hostile/{version}/{tab}") == [], texts[:each]
    search.index_projects([project.pk])
    for path in ("/", "/user/packer/", "/stats/", "/search/?q=hostile", "/project/hostile/releases/"):
        assert reports(path) == [], path


def test_no_question_does_anything_to_who_asks(reports):
    """What stands in an address comes back on the page: searches, filters, what is not found."""
    with_nul = [text for text in hostile.METADATA if "\0" in text]
    plain = [text for text in hostile.METADATA if "\0" not in text]
    for start in range(0, len(plain) - 12, 20):
        texts = plain[start : start + 20]
        query = [
            ("q", texts[0][:900]),
            *(("c", text) for text in texts),
            ("license", texts[1]),
            ("python", texts[2]),
            ("o", texts[3]),
        ]
        assert reports(f"/search/?{urlencode(query)}") == [], texts
    for key in ("q", "c", "o"):
        assert reports(f"/search/?{urlencode({key: with_nul[0]})}", status=400) == []
    for text in [*hostile.METADATA[::25], with_nul[0]]:
        assert reports(f"/project/{quote(text, safe='')}/", status=404) == [], text


def test_no_file_in_a_file_does_anything_to_who_looks_at_it(reports):
    """Documents, drawings and scripts are text here, whatever they and their names say."""
    names = [
        f"x/{text}.html".replace("//", "/")
        for text in ("<img src=x onerror=pwned()>", "\u202egnp.exe", '" onclick=pwned()', "a&amp;b")
    ]
    page = "\n".join(text for text in hostile.HTML if len(text) < 2000 and "\0" not in text)
    files = dict.fromkeys(
        [*names, "x/a.svg", "x/b.js", "x/c.xhtml", "x/d.py", "x/e.md", "x/f.css", "x/g"], page.encode()
    )
    name, content = make_wheel("hostile", "1.0", files=files)
    shelves.publish(make_project("hostile"), "1.0", name, content)
    base = f"/project/hostile/1.0/inspect/{name}/"
    assert reports(base) == []
    assert reports(base + "x/") == []
    for path in files:
        assert reports(base + quote(path)) == [], path


def test_a_drawing_from_elsewhere_is_shown_and_does_nothing(reports, new_context, settings, tmp_path):
    """In a description, and opened by itself, where a document of this site's own origin could do most."""
    parts = (
        "<script>pwned()</script><script href='data:,pwned()'/><rect width='9' height='9' onclick='pwned()'/>",
        "<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'><script>pwned()</script></p></foreignObject>",
        "<animate onbegin='pwned()' attributeName='x' dur='1s'/><set attributeName='onload' to='pwned()'/>",
        "<image href='https://evil.example/x.png'/><style>@import 'https://evil.example/x.css';</style>",
        "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>pwned()</h:script><use href='https://evil.example/#x'/>",
        "<h:iframe xmlns:h='http://www.w3.org/1999/xhtml' src='javascript:parent.pwned()'/>",
    )
    size = "width='40' height='40' onload='pwned()'"
    drawing = f"<svg xmlns='http://www.w3.org/2000/svg' {size}>{''.join(parts)}<circle r='9'/></svg>"
    with running() as origin:
        origin.pages["/x.svg"] = (200, {"Content-Type": "text/html"}, drawing.encode())
        settings.PACKHOUSE = replace(
            settings.PACKHOUSE, image_proxy=True, image_networks=("127.0.0.0/8",), home=tmp_path
        )
        images.shelf.cache_clear()
        html = rendered("text/markdown", f"![a drawing]({origin.url}/x.svg)")
        shelves.publish(make_project("drawn"), "1.0", readme="x", html=html)
        assert reports("/project/drawn/") == []
        page = new_context().new_page()
        page.goto("/project/drawn/")
        shown = page.locator(".readme img")
        shown.scroll_into_view_if_needed()
        page.wait_for_function("document.querySelector('.readme img').naturalWidth === 40")
        assert reports(shown.get_attribute("src"), within=False) == []
        images.shelf.cache_clear()
