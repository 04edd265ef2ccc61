"""Counting downloads."""

from datetime import date, timedelta

import pytest
from tests.factories.projects import make_project, publish

from packhouse.base import clock
from packhouse.downloads import actions, queries, tally
from packhouse.downloads.actions import record_downloads
from packhouse.downloads.models import Downloads
from packhouse.downloads.tally import Tally

PIP = 'pip/25.1 {"installer":{"name":"pip","version":"25.1"},"python":"3.12.4"}'
UV = 'uv/0.9.0 {"installer":{"name":"uv","version":"0.9.0"},"python":"3.13.0"}'


def test_a_tally_counts_files_and_nothing_else():
    tally = Tally()
    for path in ("/packages/aa/b.whl", "/packages/aa/b.whl", "/packages/aa/b.whl.metadata", "/simple/b/"):
        tally.add(path, PIP)
    assert tally.take() == {("aa/b.whl", PIP): 2}
    assert tally.take() == {}


def test_a_tally_that_cannot_be_written_keeps_its_numbers_and_its_bounds(monkeypatch):
    monkeypatch.setattr(tally, "MOST", 2)
    counted = Tally()
    counted.add("/packages/a", PIP)
    counted.give_back({("a", PIP): 3, ("b", PIP): 1, ("c", PIP): 1})
    assert counted.take() == {("a", PIP): 4, ("b", PIP): 1}


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (PIP, ("pip", "3.12")),
        ("poetry/2.1 CPython/3.11.9 Linux/6.1", ("poetry", "3.11")),
        ("bandersnatch/6.6 (cpython 3.12.1)", ("bandersnatch", "")),
        ("Mozilla/5.0 (X11) Firefox/140.0", ("browser", "")),
        ("<script>alert(1)</script>", ("other", "")),
        ('pip/1 {"python":"9.99"}', ("pip", "")),
        ("", ("other", "")),
    ],
)
def test_a_client_is_known_by_its_tool_and_its_python(agent, expected):
    assert actions.client_of(agent) == expected


@pytest.mark.django_db
def test_numbers_of_the_same_day_add_up_and_strange_files_are_left_out():
    one = publish(make_project("one"))
    today = date(2026, 5, 4)
    record_downloads({(one.path, PIP): 2, (one.path, UV): 1, ("gone/file", PIP): 7}, today)
    record_downloads({(one.path, PIP): 3}, today)
    found = set(Downloads.objects.values_list("project__name", "day", "installer", "python", "number"))
    assert found == {("one", today, "pip", "3.12", 5), ("one", today, "uv", "3.13", 1)}


@pytest.mark.django_db
def test_the_last_days_are_shown_without_gaps_and_old_numbers_are_forgotten(django_assert_num_queries):
    file = publish(make_project("one"))
    today = clock.now().date()
    for ago, number in ((0, 100), (1, 5), (3, 7), (40, 1), (500, 1)):
        record_downloads({(file.path, PIP): number}, today - timedelta(days=ago))
    with django_assert_num_queries(3):
        fetched = queries.recent(file.project_id)
    assert len(fetched.days) == queries.DAYS
    assert fetched.days[-1] == (today - timedelta(days=1), 5)
    assert fetched.total == 12
    assert fetched.installers == (("pip", 12),)
    assert queries.recent(file.project_id, file.release_id).total == 12
    assert actions.forget_old() == 1
