"""Files that are deleted leave the store; those in quarantine at once, and nobody gets them until then, either."""

import json
import os
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from tests.index import world

from packhouse.base import clock
from packhouse.files import LocalStore, StoreUnavailable
from packhouse.index import reconcile, tasks
from packhouse.index.models import Doomed
from packhouse.projects.models import File
from packhouse.purge.models import Waiting
from packhouse.queue.models import QueuedTask
from packhouse.schedule import SCHEDULE

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path, monkeypatch):
    store = LocalStore(tmp_path / "files")
    monkeypatch.setattr(tasks, "default_store", lambda: store)
    return store


@pytest.fixture
def files(store):
    """A release of each of two versions: one wheel each, in the store with its metadata."""
    project = world.create("demo")
    files = [world.publish(project, version, f"demo-{version}-py3-none-any.whl") for version in ["1", "2"]]
    for file in files:
        for key in both(file):
            store.put(key, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    return files


def both(file):
    return {file.path, f"{file.path}.metadata"}


def place(file):
    return file.path.rpartition("/")[0]


def withheld():
    return set(json.loads(world.page("withheld")))


def kept(store):
    return {blob.key for blob in store.iter_keys()}


def waiting():
    return QueuedTask.objects.filter(name=tasks.remove_doomed.module_path).count()


@world.each_way_to_delete
def test_what_is_deleted_in_quarantine_is_withheld_until_it_is_gone(files, store, delete):
    good, bad = files
    world.quarantine_release(bad.release)
    assert withheld() == {place(bad)}
    delete(File.objects.get(pk=bad.pk))
    assert withheld() == {place(bad)}
    assert waiting() == 1
    world.set_status(world.create("other"), "quarantined")  # the list is made anew
    assert withheld() == {place(bad)}
    for _ in range(2):
        tasks.remove_doomed.call()
        assert withheld() == set()
        assert kept(store) == both(good)


def test_of_a_project_in_quarantine_nothing_is_left(files, store):
    world.set_status(files[0].project, "quarantined")
    world.delete_project(files[0].project)
    assert withheld() == {place(file) for file in files}
    tasks.remove_doomed.call()
    assert withheld() == kept(store) == set()


def test_while_the_store_fails_it_stays_withheld(files, store, monkeypatch):
    def fail(key):
        raise StoreUnavailable(key)

    world.quarantine_release(files[1].release)
    world.delete_file(File.objects.get(pk=files[1].pk))
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "delete", lambda self, key: fail(key))
        with pytest.raises(StoreUnavailable):
            tasks.remove_doomed.call()
    assert withheld() == {place(files[1])}
    tasks.remove_doomed.call()
    assert withheld() == set()


@pytest.mark.parametrize("days", [None, 0, 30])
@world.each_way_to_delete
def test_what_was_in_no_quarantine_is_kept_for_some_days_for_those_who_are_fetching_it(
    files, store, delete, days, settings
):
    old, new = files
    if days is not None:
        settings.PACKHOUSE = replace(settings.PACKHOUSE, deleted_file_days=days)
    kept_for = timedelta(days=1 if days is None else days)
    with time_machine.travel(clock.now(), tick=False) as moment:
        delete(new)
        left = both(new) if File.objects.filter(pk=old.pk).exists() else both(new) | both(old)
        assert (withheld(), waiting()) == (set(), 0)
        assert left <= kept(store)
        if kept_for:
            moment.shift(kept_for - timedelta(seconds=1))
            tasks.remove_doomed.call()
            assert left <= kept(store)
            moment.shift(timedelta(seconds=1))
        for _ in range(2):
            tasks.remove_doomed.call()
            assert not kept(store) & left
    assert not Doomed.objects.exists()


def test_what_is_in_the_store_yet_is_withheld_when_its_project_is_quarantined(files, store):
    world.delete_file(files[0])
    assert withheld() == set()
    world.set_status(files[1].project, "quarantined")
    assert withheld() == {place(file) for file in files}
    world.set_status(files[1].project, "active")
    assert withheld() == {place(files[0])}


def test_the_clock_removes_them(files, store):
    assert tasks.remove_doomed in [one.task for one in SCHEDULE]


def test_reconcile_leaves_to_the_clock_what_is_deleted(files, store):
    world.delete_file(files[0])
    for blob in store.iter_keys():
        os.utime(store.root / blob.key, (0, 0))
    found = {finding.subject for finding in reconcile.run(store=store).findings}
    assert found == both(files[1]) - {files[1].path}  # metadata that this file does not announce
    assert both(files[0]) <= kept(store)


def test_what_has_left_the_store_before_is_no_trouble(files, store):
    with time_machine.travel(clock.now()) as moment:
        world.delete_file(files[0])
        store.delete(files[0].path)
        moment.shift(timedelta(days=1))
        tasks.remove_doomed.call()
    assert kept(store) == both(files[1])
    assert not Doomed.objects.exists()


def test_a_blob_that_is_listed_stays_whatever_was_said_of_it(files, store):
    Doomed.objects.create(path=files[0].path, project="demo", due=clock.now(), withheld=False)
    tasks.remove_doomed.call()
    assert kept(store) == both(files[0]) | both(files[1])
    assert not Doomed.objects.exists()


def test_a_cache_in_front_asks_again_when_they_are_gone(files, store, settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, purge="varnish://127.0.0.1")
    with time_machine.travel(clock.now()) as moment:
        world.delete_project(files[0].project)
        Waiting.objects.all().delete()
        tasks.remove_doomed.call()
        assert not Waiting.objects.exists()
        moment.shift(timedelta(days=1))
        tasks.remove_doomed.call()
    assert list(Waiting.objects.values_list("key", flat=True)) == ["project/demo"]
