"""What installers and mirrors read of provenance: its address on the simple page, and the object itself."""

import json
from dataclasses import replace

import pytest
from django.db import transaction
from tests.factories.provenance import publish_attested, verified
from tests.index import world

from packhouse.attestations.models import Provenance
from packhouse.documents.actions import Shell, drop, rebuild
from packhouse.documents.edition import INTEGRITY_CLOSED
from packhouse.documents.models import Change, Document
from packhouse.flags.actions import set_flag
from packhouse.flags.models import Flag
from packhouse.index import reconcile, sources, startup
from packhouse.index.bulk import Prepared

pytestmark = pytest.mark.django_db

WHEEL = "demo_pkg-1.0-py3-none-any.whl"
KEY = f"provenance/{WHEEL}"


@pytest.fixture
def project():
    found = world.create("Demo.Pkg")
    world.everything_anew()
    return found


def closed():
    return Document.objects.filter(key=INTEGRITY_CLOSED).exists()


def test_a_file_with_provenance_names_its_address_and_others_have_none(project):
    publish_attested(project, "1.0", WHEEL)
    world.publish(project, "1.0", "demo_pkg-1.0.tar.gz")
    address = f"{sources.public_url()}/integrity/demo-pkg/1.0/{WHEEL}/provenance"
    listed = {file["filename"]: file["provenance"] for file in json.loads(world.page("simple/demo-pkg"))["files"]}
    assert listed == {WHEEL: address, "demo_pkg-1.0.tar.gz": None}
    lines = world.page("simple/demo-pkg", "html").decode().splitlines()
    named = [line for line in lines if "data-provenance" in line]
    assert [line.partition(" data-provenance=")[2] for line in named] == [f'"{address}">{WHEEL}</a><br />']


def test_the_object_is_the_one_that_was_verified_to_the_byte(project):
    publish_attested(project, "1.0", WHEEL)
    body = verified(WHEEL).body
    assert (Provenance.objects.get().body, world.page(KEY)) == (body, body.encode())
    assert Change.objects.filter(key=KEY).exists()
    assert world.everything() == world.everything_anew()


def test_a_yank_and_a_new_spelling_leave_it_alone(project):
    file = publish_attested(project, "1.0", WHEEL)
    before = world.page(KEY)
    world.yank(file.release)
    world.publish(project, "1.1", "demo_pkg-1.1.tar.gz", name="demo-pkg")
    assert world.page(KEY) == before
    assert f"/integrity/demo-pkg/1.0/{WHEEL}/provenance" in world.page("simple/demo-pkg").decode()
    assert world.everything() == world.everything_anew()


@world.each_way_to_delete
def test_it_goes_with_its_file(project, delete):
    world.publish(project, "0.9", "demo_pkg-0.9.tar.gz")
    delete(publish_attested(project, "1.0", WHEEL))
    assert not Provenance.objects.exists()
    assert world.page(KEY) is None
    assert world.everything() == world.everything_anew()


def test_quarantine_and_archive_do_not_hide_it(project):
    file = publish_attested(project, "1.0", WHEEL)
    for status in ("archived", "quarantined", "active"):
        world.set_status(project, status)
        assert world.page(KEY) is not None
        assert world.everything() == world.everything_anew()
    world.quarantine_release(file.release)
    assert world.page(KEY) is not None


def test_the_flag_tells_readers_that_none_is_served():
    set_flag(name="read-only", enabled=True)
    assert not closed()
    set_flag(name="disable-pep740", enabled=True)
    assert closed()
    assert Change.objects.filter(key=INTEGRITY_CLOSED).count() == 1
    set_flag(name="disable-pep740", enabled=False)
    assert not closed()


def test_a_start_tells_readers_what_the_flag_says():
    startup.make_ready()
    assert not closed()
    Flag.objects.create(name="disable-pep740", enabled=True)
    startup.make_ready()
    assert closed()
    Flag.objects.all().delete()
    startup.make_ready()
    assert not closed()


def test_a_start_after_a_restored_backup_makes_it_from_the_rows(project):
    publish_attested(project, "1.0", WHEEL)
    before = world.page(KEY)
    Document.objects.all().delete()
    startup.make_ready()
    assert world.page(KEY) == before


def test_it_outlives_another_public_url(project, settings):
    startup.make_ready()
    publish_attested(project, "1.0", WHEEL)
    made = Document.objects.get(key=KEY).made
    settings.PACKHOUSE = replace(settings.PACKHOUSE, public_url="https://elsewhere.example")
    startup.make_all_anew()
    assert "https://elsewhere.example/integrity/" in world.page("simple/demo-pkg").decode()
    assert Document.objects.get(key=KEY).made in {made, Document.objects.get(key="simple/demo-pkg").made}
    assert reconcile.run(repair=False).counts == {"blob-missing": 1}


def test_reconciling_finds_and_mends_what_says_something_else_than_the_rows(project):
    for number in range(3):
        publish_attested(project, f"1.{number}", f"demo_pkg-1.{number}.tar.gz")
    startup.make_ready()
    assert reconcile.run(repair=False).counts == {"blob-missing": 3}
    whole = world.everything()
    with transaction.atomic():
        drop("provenance/demo_pkg-1.0.tar.gz")
        rebuild(Prepared("provenance/demo_pkg-1.1.tar.gz", Shell(-1, json_head=b"{}")))
        rebuild(Prepared("provenance/gone-1.0.tar.gz", Shell(-1, json_head=b"{}")))
        rebuild(Prepared(INTEGRITY_CLOSED, Shell(-1)))
    found = {"document-missing": 1, "document-differs": 1, "document-stale": 2, "blob-missing": 3}
    assert reconcile.run(repair=False).counts == found
    mending = reconcile.run()
    assert mending.counts == found
    assert {finding.subject for finding in mending.findings if finding.kind.startswith("document")} == {
        *(f"provenance/demo_pkg-1.{number}.tar.gz" for number in range(2)),
        "provenance/gone-1.0.tar.gz",
        INTEGRITY_CLOSED,
    }
    assert world.everything() == whole
    Flag.objects.create(name="disable-pep740", enabled=True)
    assert reconcile.run().counts["document-missing"] == 1
    assert closed()
