"""Links that templates hold lead somewhere."""

import re
from collections.abc import Iterator

import pytest
from django.urls import Resolver404, resolve
from tests.house.repository import ROOT

HREF = re.compile(r'(?:href|action)="(/[^"#?{]*)(?=["#?{])')
DATA_PLANE = ("/simple/", "/packages/", "/pypi", "/integrity/", "/static/")


def links() -> Iterator[tuple[str, str]]:
    for template in sorted((ROOT / "src").rglob("templates/**/*.html")):
        for match in HREF.finditer(template.read_text()):
            yield template.relative_to(ROOT).as_posix(), match[1]


def leads_somewhere(path: str) -> bool:
    if path.startswith(DATA_PLANE):
        return True
    for end in ("", "1/", "name/", "name/releases.xml"):
        try:
            resolve(path + end)
        except Resolver404:
            continue
        return True
    return False


@pytest.mark.parametrize(("template", "path"), sorted(set(links())))
def test_a_link_in_a_template_has_a_route(template: str, path: str) -> None:
    assert leads_somewhere(path), f"{template} leads to {path}"
