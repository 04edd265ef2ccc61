"""Filling an index with many projects at once."""

import random
import sqlite3

import psycopg
import pytest
from bench.catalogue import big_project, entries, named, project
from django.db import IntegrityError, connection, transaction
from tests.index import world

from packhouse.base import processes
from packhouse.documents.models import Change, Document
from packhouse.files import LocalStore
from packhouse.index import loading, reconcile, startup
from packhouse.projects.bulk import NewProject
from packhouse.projects.models import File, JournalEntry, Project, Release

pytestmark = pytest.mark.django_db
DRIVERS_AND_DJANGOS = (IntegrityError, sqlite3.IntegrityError, psycopg.IntegrityError)


def some(count, start=0):
    chance = random.Random(5)
    return [project(f"Loaded.Project{number}", "Says something.", chance) for number in range(start, start + count)]


def indexes():
    """Name and columns of all indexes and constraints of the tables that are filled."""
    with connection.cursor() as cursor:
        return {
            model: {
                name: (found["columns"], found["unique"], found["foreign_key"])
                for name, found in connection.introspection.get_constraints(cursor, model._meta.db_table).items()
                if not name.startswith("__")
            }
            for model in (Project, Release, File, JournalEntry, Document)
        }


def test_what_was_loaded_is_what_its_rows_say(tmp_path):
    assert loading.load([big_project("many-files", 600), *some(30)]) == 31
    assert (Project.objects.count(), JournalEntry.objects.count()) == (31, 31)
    assert File.objects.filter(project__normalized_name="many-files").count() == 600
    store = LocalStore(tmp_path)
    kinds = {finding.kind for finding in reconcile.verify(store=store).findings} | {
        finding.kind for finding in reconcile.run(store=store, repair=False).findings
    }
    assert kinds == {"blob-missing"}
    assert '"name":"Loaded.Project29"' in world.page("index").decode()


def test_indexes_and_references_are_there_again_when_it_is_full():
    before = indexes()
    loading.load(some(3))
    assert indexes() == before
    file, other = File.objects.order_by("pk")[:2]
    for change in ({"filename": file.filename}, {"blake2_256": file.blake2_256}, {"path": file.path}):
        with pytest.raises(IntegrityError), transaction.atomic():
            File.objects.filter(pk=other.pk).update(**change)


def test_an_index_that_holds_something_is_added_to(tmp_path):
    assert loading.load(some(3)) == 3
    world.publish(world.create("in-between"), "1.0", "in_between-1.0.tar.gz")
    assert loading.load(some(4, start=3)) == 4
    assert Project.objects.count() == 8
    assert Project.objects.filter(last_serial__gt=0).values("last_serial").distinct().count() == 8
    assert reconcile.verify(store=LocalStore(tmp_path)).counts.keys() <= {"blob-missing"}


@pytest.mark.parametrize("already", [0, 2])
def test_nothing_is_left_of_a_load_that_meets_one_name_twice(already):
    if already:
        loading.load(some(already))
    before = indexes(), Project.objects.count(), Document.objects.count()
    with pytest.raises(DRIVERS_AND_DJANGOS), transaction.atomic():
        loading.load([*some(2, start=10), NewProject("Twice"), NewProject("twice")])
    assert (indexes(), Project.objects.count(), Document.objects.count()) == before


def test_readers_forget_everything_and_the_next_start_has_nothing_to_do():
    loading.load(some(2))
    assert list(Change.objects.values_list("key", flat=True)) == ["index", "withheld", "stamp", "*"]
    serial = Document.objects.get(key="index").serial
    startup.make_ready()
    assert Document.objects.get(key="index").serial == serial
    assert Change.objects.count() == 4


def test_processes_beside_make_the_same(django_db_blocker):
    batch = loading.bulk.Batch(some(2), (1, 2), (1, 2), tuple(range(1, 900)), ("a", "b"), world.DAWN)
    with django_db_blocker.block():
        here = loading.made(batch, "http://index.example")
        with processes.beside(1) as helpers:
            beside = helpers.submit(loading.made, batch, "http://index.example").result()
    assert beside.documents == here.documents
    assert (beside.rows.files, beside.rows.releases) == (here.rows.files, here.rows.releases)


def test_a_generated_catalogue_has_the_shape_of_a_real_one():
    projects = list(entries(2000))
    files = sum(len(release.files) for entry in projects for release in entry.releases)
    assert len({entry.name for entry in projects}) == 2000
    assert 4 < files / 2000 < 7
    assert max(len(entry.releases) for entry in projects) > 30
    assert [line.name for line in named(50)] == sorted(line.name for line in named(50))
