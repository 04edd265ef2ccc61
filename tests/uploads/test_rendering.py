"""Descriptions are rendered by a child that can be stopped."""

import time

import pytest

from packhouse.uploads import rendering
from packhouse.uploads.rendering import RenderingFailed, render


@pytest.mark.parametrize(
    ("raw", "content_type", "html"),
    [
        ("Title\n=====\n\n*text*", "", "<em>text</em>"),
        ("Title\n=====\n\n*text*", "text/x-rst; charset=UTF-8", "<em>text</em>"),
        ("*text*", "text/markdown", "<em>text</em>"),
        ("*text*", "text/markdown; variant=CommonMark", "<em>text</em>"),
        ("*text*\nmore", "text/plain", "*text*<br>more"),
    ],
)
def test_a_description_becomes_html_as_its_type_says(raw: str, content_type: str, html: str) -> None:
    assert html in render(raw, content_type)


@pytest.mark.parametrize("content_type", ["text/markdown", "text/plain", "text/x-rst"])
def test_no_script_survives(content_type: str) -> None:
    html = render("before\n\n<script>alert(1)</script>\n\n<a href='javascript:alert(1)'>x</a>", content_type)
    assert "<script" not in html
    assert "<a href='javascript" not in html
    assert '<a href="javascript' not in html


def test_what_cannot_be_rendered_says_why() -> None:
    with pytest.raises(RenderingFailed, match="Unknown directive"):
        render(".. no-such-thing::\n")


def test_a_description_that_never_ends_is_stopped_and_the_next_one_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering._CHILD, "seconds", 0.5)
    began = time.monotonic()
    with pytest.raises(RenderingFailed, match="too much time"):
        render("word\n\n" * 200_000, "text/x-rst")
    assert time.monotonic() - began < 5
    monkeypatch.setattr(rendering, "SECONDS", 10)
    assert "<p>next</p>" in render("next", "text/x-rst")
