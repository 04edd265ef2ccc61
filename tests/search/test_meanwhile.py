"""Tasks bring entries up to date while the whole index is made anew: neither fails or waits for the other for ever."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from django.db import connection, transaction
from tests.factories.projects import make_project, release_of

from packhouse.base import bulk
from packhouse.search import actions
from packhouse.search.engines import engine
from packhouse.search.language import read
from packhouse.search.models import Entry
from packhouse.search.queries import search

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0
MOMENT = 0.5
"""Seconds in which whoever can be in the way has got there."""


@pytest.fixture
def project() -> Iterator[int]:
    """The id of a project; its entry is taken out again, for the text index is no table of a model's."""
    project = make_project("frobnicator")
    release_of(project, summary="Frobnicates whatever is there").save()
    yield project.pk
    engine().forget(list(Entry.objects.values_list("place", flat=True)))


@pytest.fixture
def meanwhile() -> Iterator[Callable[[Callable[[], int]], "Future[int]"]]:
    """``meanwhile(work)`` has another thread do it, as a process of its own would."""

    def closed(work: Callable[[], int]) -> int:
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(closed, work)


@pytest.fixture
def goes_on() -> Iterator[threading.Event]:
    """Until it is set the other thread keeps what it has begun."""
    event = threading.Event()
    yield event
    event.set()


def test_a_task_has_written_half_an_entry_when_a_rebuild_begins(project, meanwhile, goes_on, monkeypatch):
    there, usual, here = threading.Event(), bulk.insert, threading.current_thread()

    def insert(*arguments: object) -> None:
        if threading.current_thread() is not here:
            there.set()
            assert goes_on.wait(PATIENCE)
        usual(*arguments)

    monkeypatch.setattr(bulk, "insert", insert)
    task = meanwhile(lambda: actions.index_projects([project]))
    assert there.wait(PATIENCE)
    threading.Timer(MOMENT, goes_on.set).start()
    assert actions.rebuild() == 1
    assert task.result(PATIENCE) == 1
    assert names("frobnicator") == ["frobnicator"]


def test_a_task_has_learnt_the_words_that_a_rebuild_learns(project, meanwhile, goes_on, monkeypatch):
    there, usual, tasks = threading.Event(), actions._drop_orphans, list[Future[int]]()

    def hold() -> int:
        with transaction.atomic():
            count = actions.index_projects([project])
            there.set()
            assert goes_on.wait(PATIENCE)
        return count

    def drop_orphans() -> None:
        usual()
        tasks.append(meanwhile(hold))
        assert there.wait(PATIENCE)
        threading.Timer(MOMENT, goes_on.set).start()

    monkeypatch.setattr(actions, "_drop_orphans", drop_orphans)
    assert actions.rebuild() == 1
    assert tasks[0].result(PATIENCE) == 1
    assert names("frobnicatr") == ["frobnicator"]


def names(text: str) -> list[str]:
    return [entry.name for entry in search(read(text)).entries]
