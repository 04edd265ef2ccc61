"""The small parts of pages."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.core.paginator import Paginator
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from packhouse.base import clock

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _still(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOW)


def drawn(source, address="/", **context):
    return Template(source).render(Context({"request": RequestFactory().get(address), **context}))


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-59), "just now"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(minutes=-59, seconds=-59), "59 minutes ago"),
        (timedelta(hours=-1), "1 hour ago"),
        (timedelta(days=-1), "1 day ago"),
        (timedelta(days=-30), "30 days ago"),
        (timedelta(days=-31), "1 month ago"),
        (timedelta(days=-364), "11 months ago"),
        (timedelta(days=-366), "1 year ago"),
        (timedelta(seconds=20), "in 1 minute"),
        (timedelta(minutes=50), "in 50 minutes"),
        (timedelta(hours=23), "in 23 hours"),
        (timedelta(days=9), "in 9 days"),
    ],
)
def test_a_moment_is_told_in_the_largest_unit_that_fits(distance, words):
    assert f">{words}</time>" in drawn("{% time at %}", at=NOW + distance)


def test_a_moment_has_its_full_date_in_its_title():
    assert 'datetime="2026-03-01T12:00:00+00:00" title="March 1, 2026, noon UTC"' in drawn("{% time at %}", at=NOW)
    assert drawn('{% time at "date" %}', at=NOW).endswith(">March 1, 2026</time>")
    assert drawn("{% time at %}", at=date(2026, 3, 1)) == '<time datetime="2026-03-01">March 1, 2026</time>'
    assert drawn("{% time at %}", at=None) == ""


def test_a_moment_is_told_in_the_reader_s_language():
    with translation.override("de"):
        assert ">vor 3 Tagen</time>" in drawn("{% time at %}", at=NOW - timedelta(days=3))


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, '<bdi title="1,000 bytes">1.0&nbsp;kB</bdi>'),
        (99_999, '<bdi title="99,999 bytes">100.0&nbsp;kB</bdi>'),
        (100_000, '<bdi title="100,000 bytes">0.1&nbsp;MB</bdi>'),
        (3_411_002, '<bdi title="3,411,002 bytes">3.4&nbsp;MB</bdi>'),
        (1_234_000_000, '<bdi title="1,234,000,000 bytes">1,234&nbsp;MB</bdi>'),
    ],
)
def test_a_size_is_short_with_its_bytes_in_the_title(octets, shown):
    assert drawn("{% size octets %}", octets=octets) == shown


def test_texts_are_escaped():
    evil = '"><script>alert(1)</script>'
    for source in ("{% command x %}", "{% copyable x %}", "{% badge 'ok' x %}", "{% empty x x x %}", "{% icon x x %}"):
        assert "<script>" not in drawn(source, x=evil)
    assert "<script>" not in drawn("{% alert 'info' %}{{ x }}{% endalert %}", x=evil)
    assert "<script>" not in drawn("{% danger x x x %}{{ x }}{% enddanger %}", x=evil)


def test_pages_are_linked_with_the_rest_of_the_query():
    page = Paginator(range(100), 10).page(3)
    html = drawn("{% pagination page %}", "/?q=a+b&page=3", page=page)
    assert 'rel="prev" href="?q=a+b&amp;page=2"' in html
    assert 'rel="next" href="?q=a+b&amp;page=4"' in html
    assert '<span aria-current="page">3</span>' in html
    assert drawn("{% pagination page %}", page=Paginator([], 10).page(1)).strip() == ""


@pytest.mark.parametrize(
    ("query", "link", "state"),
    [
        ("", "?order=name", ""),
        ("?order=name", "?order=-name", "ascending"),
        ("?order=-name", "?order=name", "descending"),
    ],
)
def test_a_column_is_sorted_by_a_link_that_says_how_it_is_sorted(query, link, state):
    html = drawn('{% sortable "name" "Name" %}', f"/{query}")
    assert f'href="{link}"' in html
    assert (f'aria-sort="{state}"' in html) == bool(state)


@pytest.mark.parametrize(
    ("level", "kind"),
    [(constants.SUCCESS, "ok"), (constants.ERROR, "danger"), (constants.WARNING, "warn"), (constants.INFO, "info")],
)
def test_a_flash_message_has_a_kind(level, kind):
    assert drawn("{{ message|flash_kind }}", message=Message(level, "Saved.")) == kind
