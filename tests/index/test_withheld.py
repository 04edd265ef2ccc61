"""Files that are deleted while they are in quarantine: nobody gets them, before and after their blobs are gone."""

import json

import pytest
from tests.index import world

from packhouse.files import LocalStore, StoreUnavailable
from packhouse.index import tasks
from packhouse.projects.models import File
from packhouse.queue.models import QueuedTask

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


def test_what_was_in_no_quarantine_stays_in_the_store_for_those_who_are_fetching_it(files, store):
    world.delete_file(files[0])
    world.delete_project(files[1].project)
    assert (withheld(), waiting()) == (set(), 0)
    tasks.remove_doomed.call()
    assert kept(store) == both(files[0]) | both(files[1])
