"""An empty index is filled at once, and has all that speeds searches up afterwards, whatever happened."""

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from tests.factories.projects import make_project, release_of

from packhouse.search import actions
from packhouse.search.engines import engine
from packhouse.search.language import read
from packhouse.search.models import Word
from packhouse.search.queries import search

pytestmark = pytest.mark.django_db
OWN = {"search_text_document", "search_entry_trigrams"} if connection.vendor == "postgresql" else set()


@pytest.fixture
def projects():
    for name in ("django", "django-filter", "numpy"):
        release_of(make_project(name), summary=f"All about {name}").save()


def indexes():
    """The names of the text index's own indexes; SQLite's has none."""
    if connection.vendor != "postgresql":
        return set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename IN ('search_text', 'search_entry')")
        return {name for (name,) in cursor.fetchall()} & OWN


def found(text):
    return [entry.name for entry in search(read(text)).entries]


def test_it_is_filled_without_them_and_searched_with_them(projects, monkeypatch):
    seen = []
    index = actions._index
    monkeypatch.setattr(actions, "_index", lambda ids: seen.append(indexes()) or index(ids))
    assert actions.rebuild() == 3
    assert seen == [set()]
    assert indexes() == OWN
    assert found("django") == ["django", "django-filter"]
    assert found("djnago") == ["django", "django-filter"]


def test_an_index_that_serves_keeps_them(projects, monkeypatch):
    actions.rebuild()
    seen = []
    index = actions._index
    monkeypatch.setattr(actions, "_index", lambda ids: seen.append(indexes()) or index(ids))
    assert actions.rebuild() == 3
    assert seen == [OWN]


def test_they_are_there_after_a_rebuild_that_failed(projects, monkeypatch):
    def fail(ids):
        raise RuntimeError("no more")

    monkeypatch.setattr(actions, "_index", fail)
    with pytest.raises(RuntimeError):
        actions.rebuild()
    assert indexes() == OWN


def test_they_are_made_once_more_where_a_filling_was_killed(projects):
    filling = engine().filling()
    filling.__enter__()
    actions.index_projects([1])
    assert actions.rebuild() == 3
    assert indexes() == OWN


@pytest.fixture
def project(transactional_db):
    """One whose entry is taken away again: nobody else empties the text index's own table."""
    made = make_project("django")
    release_of(made, summary="All about django").save()
    yield made
    actions._forget([made.pk])


def test_whoever_learns_the_same_words_meanwhile_does_no_harm_to_a_rebuild(project, monkeypatch):
    """What it learned is committed while the rebuild is about to write all words."""
    has_learned, may_commit, failures = threading.Event(), threading.Event(), []

    def index_another() -> None:
        try:
            with transaction.atomic():
                actions.index_projects([project.pk])
                has_learned.set()
                may_commit.wait(30)
        except DatabaseError as error:
            failures.append(error)
        finally:
            connections.close_all()

    other, commits = threading.Thread(target=index_another), threading.Timer(0.5, may_commit.set)

    def begin() -> None:
        other.start()
        assert has_learned.wait(30)
        commits.start()

    monkeypatch.setattr(actions, "_drop_orphans", begin)
    assert actions.rebuild() == 1
    other.join()
    assert failures == []
    assert set(Word.objects.values_list("word", flat=True)) == {"django", "all", "about"}
