"""An empty index is filled at once, and has all that speeds searches up afterwards, whatever happened."""

import pytest
from django.db import connection
from tests.factories.projects import make_project, release_of

from packhouse.search import actions
from packhouse.search.engines import engine
from packhouse.search.language import read
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
    with engine().filling():
        actions.index_projects([1])
        assert indexes() == set()
        assert actions.rebuild() == 3
        assert indexes() == OWN
