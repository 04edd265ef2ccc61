"""What the cache in front is told, when, and what happens when it does not listen."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from tests.queue.test_queue import work

from packhouse.base import clock
from packhouse.purge import actions, ports, tasks
from packhouse.purge.models import Waiting
from packhouse.queue.models import QueuedTask

pytestmark = pytest.mark.django_db(transaction=True)
FIRST, LATER = "packhouse.purge.tasks.purge_due", "packhouse.purge.tasks.purge_later"


class Cache:
    """Stands in for a port; ``told`` lists what it was asked to forget, ``deaf`` makes it fail."""

    def __init__(self):
        self.told = []
        self.deaf = False

    def purge(self, keys):
        if self.deaf:
            raise ports.Failed("no answer")
        self.told.append(list(keys))

    def probe(self):
        return "here"


@pytest.fixture
def cache(settings, monkeypatch):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, purge="varnish://127.0.0.1")
    cache = Cache()
    monkeypatch.setattr(ports, "plugged_in", lambda: cache)
    return cache


def waiting():
    return sorted(Waiting.objects.values_list("key", "round"))


def queued():
    return sorted(QueuedTask.objects.waiting().values_list("name", flat=True))


@pytest.mark.usefixtures("cache")
def test_a_purge_is_promised_by_commit_and_by_nothing_else():
    with transaction.atomic():
        actions.forget(["project/a"])
        transaction.set_rollback(True)
    assert (waiting(), queued()) == ([], [])
    with transaction.atomic():
        actions.forget(["project/a", "user/ada", "project/a"])
        actions.forget([])
    assert (waiting(), queued()) == ([("project/a", 0), ("user/ada", 0)], [FIRST])


def test_without_a_cache_in_front_nothing_is_noted():
    actions.forget(["project/a"])
    assert (waiting(), queued()) == ([], [])
    tasks.sweep.call()
    assert queued() == []


def test_many_writes_are_one_purge_of_each_key(cache):
    for number in range(5):
        actions.forget(["all-projects", f"project/p{number % 2}"])
    work("purge")
    assert cache.told == [["all-projects", "project/p0", "project/p1"]]
    assert queued() == [LATER]
    assert waiting() == [("all-projects", 1), ("project/p0", 1), ("project/p1", 1)]


def test_a_page_that_was_made_meanwhile_is_purged_again_twice(cache):
    with time_machine.travel(clock.now(), tick=False) as moment:
        actions.forget(["project/a"])
        work("purge")
        moment.shift(2.9)
        assert work("purge") == []
        moment.shift(0.2)
        actions.forget(["project/b"])
        work("purge")
        assert cache.told == [["project/a"], ["project/a", "project/b"]]
        moment.shift(3.1)
        work("purge")
        moment.shift(120)
        work("purge")
    assert cache.told[2:] == [["project/b"], ["project/a", "project/b"]]
    assert (waiting(), queued()) == ([], [])


def test_what_a_deaf_cache_was_not_told_waits_until_it_listens(cache):
    cache.deaf = True
    with time_machine.travel(clock.now(), tick=False) as moment:
        actions.forget(["project/a"])
        (failed,) = work("purge")
        assert "no answer" in failed.last_error
        assert waiting() == [("project/a", 0)]
        moment.shift(timedelta(hours=2))
        cache.deaf = False
        actions.forget(["project/b"])
        work("purge")
    assert cache.told == [["project/a", "project/b"]]


def test_what_a_dead_task_left_is_swept_up_by_the_clock(cache):
    actions.forget(["project/a"])
    QueuedTask.objects.all().delete()
    tasks.sweep.enqueue()
    work("purge")
    assert cache.told == [["project/a"]]
    assert queued() == [LATER]


def test_more_than_fits_at_once_is_told_in_turn(cache, monkeypatch):
    monkeypatch.setattr(actions, "AT_ONCE", 3)
    actions.forget([f"project/p{number}" for number in range(7)])
    work("purge")
    assert [len(keys) for keys in cache.told] == [3, 3, 1]


def test_what_a_clock_that_was_ahead_has_noted_is_purged_when_it_is_set_right(cache):
    with time_machine.travel("2026-01-14T00:00:00Z", tick=False) as moment:
        with transaction.atomic():
            actions.forget(["project/a"])
        moment.move_to("2026-01-01T00:00:00Z", tick=False)
        assert actions.purge_waiting() == clock.now() + actions.AGAIN[0]
    assert cache.told == [["project/a"]]
