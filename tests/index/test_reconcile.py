"""Reconciling documents and blobs with the rows."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import transaction
from django.db.models import F
from tests.factories.projects import make_project
from tests.index import world
from tests.queue.test_queue import work

from packhouse.base import clock
from packhouse.documents.actions import Shell, rebuild
from packhouse.documents.models import Document, Segment
from packhouse.files import LocalStore
from packhouse.index import reconcile, sources, startup, tasks
from packhouse.index.bulk import Prepared
from packhouse.projects.models import File, Filename, Project
from packhouse.queue import queries
from packhouse.queue.models import QueuedTask

pytestmark = pytest.mark.django_db

METADATA = b"Metadata-Version: 2.1\n"


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "files")


@pytest.fixture
def index(store, monkeypatch):
    """Three projects in small segments, every file stored."""
    monkeypatch.setattr(sources, "FILES_IN_SEGMENT", 4)
    monkeypatch.setattr(sources, "PROJECTS_IN_SEGMENT", 2)
    sidecar = sha256(METADATA).hexdigest()
    for name in ["a", "b", "c"]:
        wheels = [(f"1.{number}", f"{name}-1.{number}-py3-none-any.whl") for number in range(6 if name == "b" else 1)]
        world.fill(make_project(name, last_serial=7), wheels, metadata_sha256=sidecar)
    for file in File.objects.all():
        store.put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
        store.put(file.path + ".metadata", METADATA, size=len(METADATA), sha256_hex=sidecar)
    startup.make_ready()
    make_old(store)
    return world.everything()


def make_old(store, age=timedelta(hours=2)):
    then = (clock.now() - age).timestamp()
    for blob in store.iter_keys():
        os.utime(store.local_path(blob.key), (then, then))


def damage(**fields):
    return lambda key: Document.objects.filter(key=key).update(**fields)


def keep(key):
    """Write a document that should not be."""
    with transaction.atomic():
        rebuild(Prepared(key, Shell(1)))


def test_nothing_is_found_where_all_is_well(index, store):
    report = reconcile.run(store=store, deep=True)
    assert report.findings == []
    assert report.is_clean
    assert (report.projects, report.documents, report.files, report.blobs) == (3, 8 + 2 * 3 + 2, 8, 16)
    assert report.lines() == ["Looked at 3 projects, 16 documents, 8 files, 16 blobs.", "Everything agrees."]
    assert report.as_json()["is_clean"] is True
    assert world.everything() == index


@pytest.mark.parametrize(
    ("key", "do", "kind"),
    [
        ("simple/b", damage(html=b""), "document-differs"),
        ("simple/b", damage(html=b"no deflate stream"), "document-differs"),
        ("simple/b", damage(json_tail=b""), "document-differs"),
        ("simple/b", lambda key: Segment.objects.filter(document_id=key).last().delete(), "document-differs"),
        ("project/b", damage(shared=""), "document-differs"),
        ("project/b", damage(serial=1), "document-differs"),
        ("release/b/1.3", damage(json_head=b""), "document-differs"),
        ("release/b/1.3", lambda key: Document.objects.filter(key=key).delete(), "document-missing"),
        ("simple/b", lambda key: Document.objects.filter(key=key).delete(), "document-missing"),
        ("index", lambda key: Document.objects.filter(key=key).delete(), "document-missing"),
        ("index", damage(json=b""), "document-differs"),
        ("index", damage(json_head=b""), "document-differs"),
        ("index", lambda key: Segment.objects.filter(document_id=key).update(html=b""), "document-differs"),
        ("simple/gone", keep, "document-stale"),
        ("project/gone", keep, "document-stale"),
        ("release/a/9", keep, "document-stale"),
    ],
)
def test_a_wrong_document_is_found_and_mended(index, store, key, do, kind):
    do(key)
    broken = world.everything() if b"no deflate stream" not in Document.objects.values_list("html", flat=True) else None
    report = reconcile.run(store=store, repair=False)
    assert [(finding.kind, finding.subject, finding.mended) for finding in report.findings] == [(kind, key, False)]
    assert not report.is_clean
    assert broken is None or world.everything() == broken

    report = reconcile.run(store=store)
    assert [(finding.kind, finding.subject, finding.mended) for finding in report.findings] == [(kind, key, True)]
    assert report.is_clean
    assert world.everything() == index


def test_what_quarantine_hides_is_stale(index, store):
    Project.objects.filter(name="b").update(status="quarantined")
    report = reconcile.run(store=store)
    assert sorted(finding.subject for finding in report.findings) == [
        "index",
        "project/b",
        *(f"release/b/1.{number}".removesuffix(".0") for number in range(6)),
        "simple/b",
        "withheld",
    ]
    assert reconcile.run(store=store).findings == []


def test_documents_of_other_rooms_are_left_alone(index, store):
    keep("rss/updates")
    assert reconcile.run(store=store).findings == []


def break_blob(store, key, content):
    path = store.local_path(key)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    make_old(store)


@pytest.mark.parametrize("suffix", ["", ".metadata"])
@pytest.mark.parametrize(
    ("content", "deep", "kind"),
    [(None, False, "blob-missing"), (b"", True, "blob-damaged"), (b"other bytes", True, "blob-damaged")],
)
def test_a_listed_blob_that_is_missing_or_damaged_is_told_and_not_clean(index, store, suffix, content, deep, kind):
    key = File.objects.first().path + suffix
    break_blob(store, key, content)
    report = reconcile.run(store=store, deep=deep)
    assert [(finding.kind, finding.subject) for finding in report.findings] == [(kind, key)]
    assert not report.is_clean


def test_a_file_of_another_size_is_told_without_reading_it(index, store):
    file = File.objects.first()
    break_blob(store, file.path, b"short")
    assert [finding.detail for finding in reconcile.run(store=store).findings] == [f"5 bytes, not {file.size}"]


def test_damage_of_the_same_size_is_seen_by_a_deep_look_only(index, store):
    file = File.objects.first()
    break_blob(store, file.path, bytes(file.size))
    assert reconcile.run(store=store).is_clean
    assert [finding.detail for finding in reconcile.run(store=store, deep=True).findings] == ["another SHA-256"]


def orphan(store, filename="orphan-1.tar.gz"):
    content = b"nobody lists me"
    key = f"aa/bb/{'c' * 60}/{filename}"
    store.put(key, content, size=len(content), sha256_hex=sha256(content).hexdigest())
    return key


def test_old_orphans_are_deleted_and_listed_blobs_never(index, store):
    keys = {
        orphan(store),
        orphan(store, "orphan-1-py3-none-any.whl"),
        orphan(store, "orphan-1-py3-none-any.whl.metadata"),
    }
    make_old(store)
    report = reconcile.run(store=store, repair=False)
    assert {finding.subject for finding in report.findings} == keys
    assert report.is_clean
    assert all(store.exists(key) for key in keys)

    report = reconcile.run(store=store)
    assert {finding.subject for finding in report.findings if finding.mended} == keys
    assert not any(store.exists(key) for key in keys)
    assert reconcile.run(store=store, deep=True).findings == []


def test_young_orphans_may_belong_to_an_upload_on_its_way(index, store):
    key = orphan(store)
    assert reconcile.run(store=store).findings == []
    assert store.exists(key)


def test_a_clock_that_is_ahead_makes_no_orphan_old(index, store, monkeypatch):
    key, tomorrow = orphan(store), clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert reconcile.run(store=store).findings == []
    assert store.exists(key)


def test_metadata_that_its_file_does_not_announce_is_an_orphan(index, store):
    file = File.objects.exclude(metadata_sha256="").first()
    File.objects.filter(pk=file.pk).update(metadata_sha256="")
    found = reconcile.run(store=store).findings
    assert [one.subject for one in found if one.kind == "blob-orphan"] == [file.path + ".metadata"]
    assert store.exists(file.path)


def test_leftovers_of_interrupted_writes_go(index, store):
    store.spool.mkdir(exist_ok=True)
    for name, age in (("old", 7200), ("young", 10)):
        (store.spool / name).write_bytes(b"half")
        then = clock.now().timestamp() - age
        os.utime(store.spool / name, (then, then))
    report = reconcile.run(store=store)
    assert report.temporaries_removed == 1
    assert [entry.name for entry in store.spool.iterdir()] == ["young"]


def test_an_empty_index_is_served_from_the_start():
    startup.make_ready()
    assert world.page("index", "html").endswith(b"<body>\n</body>\n</html>")
    newest = Document.objects.get(key="index")
    startup.make_ready()
    assert Document.objects.get(key="index") == newest


def test_a_new_public_url_reaches_all_links(index, store, settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url="https://new.example")
    startup.make_ready()
    tasks.make_documents_anew.call()
    path = File.objects.first().path
    assert f'"url":"https://new.example/packages/{path}"'.encode() in world.page("simple/a")
    assert reconcile.run(store=store).findings == []


def test_verify_finds_rows_that_disagree_and_mends_nothing(store):
    startup.make_ready()
    file = world.publish(world.create("a"), "1.0", "a-1.0-py3-none-any.whl")
    store.put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    assert reconcile.verify(store=store).findings == []

    Project.objects.update(last_serial=F("last_serial") + 1, total_size=F("total_size") + 1)
    Filename.objects.all().delete()
    for _ in range(2):
        found = reconcile.verify(store=store)
        assert {"serial-differs": 1, "size-differs": 1, "name-not-kept": 1}.items() <= found.unmended.items()
        assert not found.is_clean
        assert json.loads(json.dumps(found.as_json()))["counts"] == found.counts


@pytest.fixture
def looked_over(store, monkeypatch):
    """Two projects whose rows, documents and files agree, and that store as the one that tasks look at."""
    monkeypatch.setattr(reconcile, "default_store", lambda: store)
    startup.make_ready()
    for name in ("a", "b"):
        file = world.publish(world.create(name), "1.0", f"{name}-1.0-py3-none-any.whl")
        store.put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    make_old(store)


def test_a_look_over_by_the_clock_is_dead_while_something_is_wrong_and_no_longer(looked_over, store):
    tasks.look_over.enqueue()
    assert [row.state for row in work("heavy")] == ["done"]

    Document.objects.filter(key="simple/b").update(html=b"")
    file = File.objects.get(filename__startswith="a-")
    store.delete(file.path)
    tasks.look_over.enqueue()
    for attempt in (1, 2, 3):
        QueuedTask.objects.waiting().update(run_at=clock.now())
        (row,) = work("heavy")
        assert row.attempts == attempt
    (dead,) = queries.dead_tasks()
    assert "document-differs simple/b" in dead.last_error
    assert dead.last_error.endswith(
        "1 listed files that are not in the store, 0 of them mended\n"
        "1 documents that said something else than the rows, 0 of them mended\n"
    )
    assert Document.objects.get(key="simple/b").html == b""

    tasks.look_over.enqueue()
    store.put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    reconcile.run(store=store)
    assert [row.state for row in work("heavy")] == ["done"]
    assert queries.dead_tasks() == []


def test_what_is_being_made_anew_is_looked_over_later(index, settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url="https://new.example")
    tasks.look_over.enqueue()
    (row,) = work("heavy")
    assert (row.state, row.attempts) == ("waiting", 0)
    tasks.make_documents_anew.call()
    QueuedTask.objects.update(run_at=clock.now())
    assert startup.is_of_this_edition()


def test_files_that_nothing_lists_are_no_alarm(looked_over):
    world.delete_file(File.objects.first())
    tasks.look_over.enqueue()
    assert [row.state for row in work("heavy")] == ["done"]
