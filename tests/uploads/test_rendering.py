"""Descriptions are rendered by a child that can be stopped."""

import contextlib
import os
import signal

import pytest
from tests.factories.accounts import make_token, make_user
from tests.factories.projects import make_project, release_of
from tests.uploads.publishing import upload, wheel

from packhouse.projects.models import Description
from packhouse.uploads import rendering, tasks
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
    assert "<p>first</p>" in render("first", "text/x-rst")
    monkeypatch.setattr(rendering._CHILD, "seconds", 1)
    monkeypatch.setattr(rendering._CHILD, "patience", 300)
    with pytest.raises(RenderingFailed, match="too much time"):
        render("word\n\n" * 200_000, "text/x-rst")
    monkeypatch.undo()
    assert "<p>next</p>" in render("next", "text/x-rst")


@pytest.mark.parametrize(
    ("piece", "content_type"),
    [
        *(("<div>", "text/markdown"), ("> ", "text/markdown"), ("[", "text/markdown"), ("*_", "text/markdown")),
        *(("<svg><math>", "text/markdown"), ("(", "text/x-rst"), ("\n* ", "text/x-rst"), ("<b>", "text/plain")),
    ],
)
def test_five_mebibytes_of_nesting_cost_one_description(
    monkeypatch: pytest.MonkeyPatch, piece: str, content_type: str
) -> None:
    """It is rendered, flattened or refused; whichever it is, the next description is rendered."""
    monkeypatch.setattr(rendering._CHILD, "seconds", 1)
    monkeypatch.setattr(rendering._CHILD, "patience", 300)
    with contextlib.suppress(RenderingFailed):
        assert "<svg" not in render(piece * (5 * 1024**2 // len(piece)), content_type)
    monkeypatch.undo()
    assert "<p>next</p>" in render("next", "text/x-rst")


@pytest.mark.parametrize(
    ("raw", "content_type", "html"),
    [
        (
            ".. note::\n\n   Read this",
            "text/x-rst",
            '<div class="note">\n<p class="note-title">Note</p>\n<p>Read this</p>',
        ),
        (".. warning:: Hot", "text/x-rst", '<div class="note note-grave">'),
        ("x [1]_\n\n.. [1] Foot", "text/x-rst", '<div id="description-user-content-1" class="footnote">'),
        ("Use ``a b``, please", "text/x-rst", "<p>Use <code>a b</code>, please</p>"),
        ("x\n\n:Author: me", "text/x-rst", '<dl class="field-list">'),
        ("| a\n| b", "text/x-rst", '<div class="line-block">\n<div class="line">a</div>'),
        (".. image:: https://i.example/a/b.svg?c", "text/x-rst", '<a href="https://i.example/a/b.svg?c" class="image"'),
        (".. image:: https://i.example/a/b.svg?c", "text/x-rst", ">b.svg</a>"),
        ('<p align="center">x</p>', "text/markdown", '<p class="align-center">x</p>'),
        ('<h1 align="center">x</h1>', "text/markdown", '<h2 class="align-center">x</h2>'),
        (
            "<h4>a</h4>\n<h1>b</h1>\n<h4>c</h4>\n<h2>d</h2>\n",
            "text/markdown",
            "<h2>a</h2>\n<h2>b</h2>\n<h3>c</h3>\n<h3>d</h3>",
        ),
        ("<h1>a</h1><h2>b</h2><h3>c</h3><h4>d</h4><h5>e</h5><h6>f</h6>", "text/markdown", "<h6>e</h6><h6>f</h6>"),
        ("![](https://i.example/code%20style.svg)", "text/markdown", ">code style.svg</a>"),
        ("|a|\n|-:|\n|1|", "text/markdown", '<td class="align-right">1</td>'),
        ('<div class="button primary">x</div>', "text/markdown", "<div>x</div>"),
        ('<p id="a">x</p><p id="a">y</p>', "text/markdown", '<p id="description-a">x</p><p>y</p>'),
        ('<img src="https://i.example/a.png" width="20" height="10px">', "text/markdown", 'data-size="20x10"'),
    ],
)
def test_what_its_authors_meant_is_kept_in_words_of_this_site(raw: str, content_type: str, html: str) -> None:
    assert html in render(raw, content_type)


@pytest.mark.django_db
def test_a_description_that_waits_for_a_busy_machine_is_not_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is stopped before it can answer: it waits, and uses no processor."""
    _, token = make_token(make_user("ada"))
    metadata = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: A demonstration\n\nwords\n"
    render("first")
    os.kill(rendering._CHILD.process.pid, signal.SIGSTOP)  # type: ignore[union-attr]
    monkeypatch.setattr(rendering._CHILD, "patience", 0.05)
    refused = upload(wheel(metadata=metadata), token=token)
    assert (refused.status_code, refused["X-Packhouse-Reason"]) == (503, "too-busy")
    assert refused["Retry-After"]
    monkeypatch.undo()
    assert upload(wheel(metadata=metadata), token=token).status_code == 200


@pytest.mark.django_db
def test_what_an_older_renderer_made_is_made_again_and_what_no_longer_renders_is_shown_as_written() -> None:
    raws = ("# Good", "# Current", ".. raw:: html\n   :file: /etc/passwd")
    kinds = ("text/markdown", "text/markdown", "text/x-rst")
    for raw, kind, by in zip(raws, kinds, ("0 old", rendering.renderer(), "9 newer"), strict=True):
        project = make_project(f"p{len(raw)}")
        release = release_of(project)
        release.save()
        Description.objects.create(release=release, raw=raw, content_type=kind, html="<i>as it was</i>", renderer=by)
    tasks.render_again.call()
    html = dict(Description.objects.values_list("raw", "html"))
    assert html[raws[0]].startswith("<h2")
    assert html[raws[1]] == "<i>as it was</i>"
    assert "root:" not in html[raws[2]]
    assert set(Description.objects.values_list("renderer", flat=True)) == {rendering.renderer()}
