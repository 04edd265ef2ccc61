"""Documents of another edition: made anew by a task, or when they are asked for; never read as they are."""

from dataclasses import replace

import pytest
from django.db import transaction
from tests.factories.projects import make_project
from tests.index import world

from packhouse.documents import edition, upkeep
from packhouse.documents import store as documents
from packhouse.documents.actions import current
from packhouse.documents.models import Change, Document, Segment
from packhouse.index import handlers, sources, startup, tasks
from packhouse.projects.models import Project
from packhouse.queue.models import QueuedTask

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "https://new.example"
OF_A = ("simple/a", "project/a", "release/a/1")


@pytest.fixture
def move(settings):
    """``move()``: two projects whose documents are of the edition before."""
    for name in ("a", "b"):
        world.fill(make_project(name), [("1.0", f"{name}-1.0-py3-none-any.whl"), ("2.0", f"{name}-2.0.tar.gz")])
    startup.make_ready()

    def now(url=NEW):
        settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url=url)
        startup.make_ready()

    return now


@pytest.fixture
def reader(settings):
    """``reader()`` reads documents of this process's edition."""
    opened = []

    def make():
        opened.append(documents.from_url(settings.PACKHOUSE.database, current()))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def editions():
    return dict(Document.objects.values_list("key", "made"))


def is_outdated(reader, key):
    try:
        reader.load(key, "json")
    except documents.Outdated:
        return True
    return False


def test_a_start_with_another_url_makes_nothing_but_has_a_task_do_it(move):
    before = world.everything()
    move()
    assert world.everything() == before
    assert [task.name for task in QueuedTask.objects.all()] == ["packhouse.index.tasks.make_documents_anew"]


def test_documents_of_another_edition_are_not_read(move, reader):
    move()
    keys = set(editions())
    assert {key for key in keys if is_outdated(reader(), key)} == keys - {"index", "stamp", "withheld"}


def test_the_task_makes_all_anew_and_the_next_start_has_nothing_to_do(move, reader):
    move()
    QueuedTask.objects.all().delete()
    tasks.make_documents_anew.call()
    assert not any(is_outdated(reader(), key) for key in editions())
    assert f'"url":"{NEW}/packages/'.encode() in world.page("simple/a")
    assert world.everything().items() >= world.everything_anew().items()
    startup.stamp()
    startup.make_ready()
    assert not QueuedTask.objects.exists()


def test_the_task_goes_on_where_it_was_interrupted(move, monkeypatch):
    move()
    monkeypatch.setattr(startup, "AT_ONCE", 1)
    startup.make_anew("simple/a")
    last = Change.objects.latest("pk").pk
    tasks.make_documents_anew.call()
    assert {key for key in world.changed_since(last) if key.endswith("/a") or "/a/" in key} == set()
    assert {"simple/b", "project/b"} <= world.changed_since(last)
    assert "index" not in world.changed_since(last)


def test_another_way_of_rendering_makes_the_index_s_document_anew_too(move, monkeypatch):
    monkeypatch.setattr(edition, "RENDERING", edition.RENDERING + 1)
    startup.make_ready()
    last = Change.objects.latest("pk").pk
    tasks.make_documents_anew.call()
    assert {"index", "stamp", *OF_A} <= world.changed_since(last)


@pytest.mark.parametrize("key", ["simple/a", "project/a", "release/a/2"])
def test_what_is_asked_for_is_made_with_all_of_its_project(move, reader, key):
    move()
    assert key in editions()
    startup.make_anew(key)
    assert {key for key, made in editions().items() if made == current()} >= {key}
    assert not any(is_outdated(reader(), each) for each in editions() if "/a" in each)
    assert is_outdated(reader(), "simple/b")
    last = Change.objects.latest("pk").pk
    startup.make_anew(key)
    assert world.changed_since(last) == set()


def test_a_document_whose_project_is_gone_is_removed(move, reader):
    Project.objects.filter(name="a").delete()
    move()
    startup.make_anew("simple/a")
    assert reader().load("simple/a", "json") is None
    startup.make_anew("simple/never-there")


def test_a_change_of_an_outdated_document_makes_all_of_it_anew(move, monkeypatch):
    monkeypatch.setattr(sources, "FILES_IN_SEGMENT", 2)
    crowd = make_project("crowd")
    world.fill(crowd, [(f"1.{number}", f"crowd-1.{number}-py3-none-any.whl") for number in range(9)])
    with transaction.atomic():
        handlers._rebuild(crowd.pk)
    assert Segment.objects.filter(document_id="simple/crowd").count() > 2
    move()
    world.publish(crowd, "2.0", "crowd-2.0-py3-none-any.whl")
    assert world.page("simple/crowd").count(f'"url":"{NEW}/packages/'.encode()) == 10
    assert Document.objects.get(key="simple/crowd").made == current()
    assert upkeep.outdated(["simple/crowd", "simple/a", "index"]) == {"simple/a"}


def test_moving_there_and_back_makes_nothing_anew_that_was_not_made(move, reader, settings):
    old = settings.PACKHOUSE.public_url
    move()
    startup.make_anew("simple/b")
    move(old)
    assert not is_outdated(reader(), "simple/a")
    assert is_outdated(reader(), "simple/b")
