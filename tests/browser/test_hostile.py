"""What strangers write does nothing to its readers."""

import pytest
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.pages import hostile, shelves

from packhouse.projects.models import Description, Project
from packhouse.uploads.rendering import RenderingFailed, render

pytestmark = pytest.mark.browser
AT_ONCE = 12
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


@pytest.fixture
def reports(new_context):
    """``reports(path)``: what the browser had to report of a page, the requests for other hosts included."""
    context = new_context()
    context.add_init_script(WATCH)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "127.0.0.1" not in request.url else None)
    page.on("dialog", lambda dialog: (asked.append("dialog"), dialog.dismiss()))

    def visit(path):
        asked.clear()
        assert page.goto(path).status == 200
        return page.evaluate(TOUCH) + asked

    return visit


def test_no_description_does_anything_to_its_readers(reports):
    project = make_project("hostile")
    shelves.publish(project, "1.0", readme="x", html="x")
    pieces = [(kind, text, rendered(kind, text)) for kind, text in hostile.DESCRIPTIONS]
    assert len(pieces) >= 150
    assert not any("root:" in html for _, _, html in pieces)
    for start in range(0, len(pieces), AT_ONCE):
        together = pieces[start : start + AT_ONCE]
        Description.objects.update(html="<hr>".join(html for _, _, html in together))
        assert reports("/project/hostile/") == [], [text[:200] for _, text, _ in together]


def test_no_metadata_does_anything_to_its_readers(reports):
    texts = hostile.METADATA
    said = {
        "summary": texts[0],
        "author": texts[1],
        "author_email": f"{texts[2]} <a@b.example>",
        "license": texts[3],
        "keywords": texts,
        "classifier": [f"{text} :: {text}" for text in texts],
        "requires_dist": texts,
        "provides_extra": texts,
        "import_name": texts,
        "project_url": [f"{text[:30]}, {text}" for text in texts]
        + ["Homepage, javascript:pwned()", 'Docs, https://x.example/" onclick=pwned()'],
        "home_page": "javascript:pwned()",
        "download_url": "data:text/html,<script>pwned()</script>",
        "requires_python": texts[5],
    }
    project = make_project("hostile", owner=make_user("packer", name=texts[0][:100]), status_reason=texts[4])
    shelves.publish(project, "1.0", release={"metadata": {"requires_dist": texts[:3]}})
    shelves.publish(
        project,
        "1.1",
        release={"metadata": said, "yanked": True, "yanked_reason": texts[6], "uploaded_via": texts[0]},
        comment=texts[7],
        sboms=texts[:3],
    )
    Project.objects.update(status="archived")
    tabs = ["", "files/", "releases/", "dependencies/", "security/", "changes/?since=1.0"]
    for path in ["/", "/user/packer/", "/stats/", *(f"/project/hostile/1.1/{tab}" for tab in tabs)]:
        assert reports(path) == [], path
