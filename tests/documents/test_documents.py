"""Documents: written in segments, read whole."""

import gzip
import random
import threading
import zlib

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.documents.sources import Lines

from packhouse.dataplane import large
from packhouse.dataplane.large import Assembly
from packhouse.documents import actions, edition
from packhouse.documents.checksums import combine, shift_by
from packhouse.documents.models import Change, Document, Segment
from packhouse.documents.segments import deflate, join_gzip, join_identity
from packhouse.documents.store import Unavailable, from_url
from packhouse.documents.tasks import prune_changes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reader(settings):
    reader = from_url(settings.PACKHOUSE.database)
    yield reader
    reader.close()


def read(reader, key, fmt):
    loaded = reader.load(key, fmt)
    identity = join_identity(loaded.pieces)
    assert gzip.decompress(join_gzip(loaded.pieces, identity)) == identity
    return identity


def rebuild(source):
    with transaction.atomic():
        actions.serial_lock()
        actions.rebuild(source)


def refresh(source, *touched):
    with transaction.atomic():
        actions.serial_lock()
        actions.refresh(source, touched)


def test_a_small_document_is_one_row_and_reads_back_in_both_formats(reader):
    source = Lines(lines={b"a": b"1", b"b": b"2"})
    rebuild(source)
    assert (read(reader, source.key, "html"), read(reader, source.key, "json")) == (source.html(), source.json())
    assert Segment.objects.count() == 0


def test_a_document_without_items_is_its_head_and_tail(reader):
    rebuild(Lines())
    assert read(reader, "simple/demo", "json") == b'{"files":[]}\n'


def test_a_change_rewrites_one_segment_of_a_large_document(reader):
    source = Lines(lines={b"%04d" % n: b"x" for n in range(200)})
    rebuild(source)
    before = dict(Segment.objects.values_list("pk", "serial"))
    source.serial, source.lines[b"0100"] = 2, b"changed"
    refresh(source, b"0100")
    rewritten = [pk for pk, serial in Segment.objects.values_list("pk", "serial") if before.get(pk) != serial]
    assert len(rewritten) == 1
    assert read(reader, source.key, "html") == source.html()


@pytest.mark.parametrize("seed", range(4))
def test_refreshing_after_any_changes_gives_what_a_rebuild_gives(reader, seed, tmp_path, monkeypatch):
    monkeypatch.setattr(large, "_RUN", 4)
    chance = random.Random(seed)
    source = Lines()
    rebuild(source)
    assembly = Assembly(reader, source.key, "json")
    for serial in range(2, 60):
        source.serial = serial
        touched = [b"%04d" % chance.randrange(300) for _ in range(chance.randrange(1, 12))]
        for key in touched:
            if chance.random() < 0.4:
                source.lines.pop(key, None)
            else:
                source.lines[key] = b"%d" % serial
        refresh(source, *touched)
        assert read(reader, source.key, "html") == source.html()
        assert read(reader, source.key, "json") == source.json()
        if chance.random() < 0.5:
            assert assembly.update()
            digest = assembly.write(tmp_path / "followed.gz")
            assert gzip.decompress((tmp_path / "followed.gz").read_bytes()) == source.json()
            other = Assembly(reader, source.key, "json")
            assert other.update()
            assert other.write(tmp_path / "new.gz") == digest
    assert Document.objects.get().serial == 59


def test_an_assembly_whose_document_opens_with_another_segment_and_with_the_first_again(reader, tmp_path):
    source = Lines(lines={b"%04d" % n: b"x" for n in range(100)})
    rebuild(source)
    assembly = Assembly(reader, source.key, "json")
    first = min(map(bytes, Segment.objects.values_list("first", flat=True)))
    for serial, wanted in ((2, [n for n in range(100) if b"%04d" % n >= first]), (3, range(100))):
        source.serial, source.lines = serial, {b"%04d" % n: b"y" for n in wanted}
        refresh(source, *(b"%04d" % n for n in range(100) if b"%04d" % n < first))
        assert assembly.update()
        assembly.write(tmp_path / "one.gz")
        found = gzip.decompress((tmp_path / "one.gz").read_bytes())
        assert found.startswith(b"[") == source.json().startswith(b"[")
        assert found.count(b",") == source.json().count(b",")


def test_what_an_assembly_has_is_not_read_again(reader, tmp_path):
    source = Lines(lines={b"%04d" % n: b"x" for n in range(300)})
    rebuild(source)
    assembly = Assembly(reader, source.key, "json")
    assert assembly.update()
    before = dict(assembly._segments)
    source.serial, source.lines[b"0100"] = 2, b"changed"
    refresh(source, b"0100")
    outline = reader.outline(source.key, "json", 2, before.keys())
    assert (len(outline.changed), outline.firsts) == (1, None)
    assert assembly.update()
    assert sum(segment is not before[first] for first, segment in assembly._segments.items()) == 1


def test_an_assembly_follows_the_document_and_is_a_valid_gzip_file(reader, tmp_path):
    source = Lines(lines={b"%04d" % n: b"x" * n for n in range(100)})
    rebuild(source)
    assembly = Assembly(reader, source.key, "json")
    assert assembly.update()
    digests = {assembly.write(tmp_path / "one.gz")}
    source.serial = 2
    for key in [key for key in source.lines if key < b"0050"]:
        del source.lines[key]
    refresh(source, *(b"%04d" % n for n in range(100)))
    assert assembly.update()
    digests.add(assembly.write(tmp_path / "two.gz"))
    assert gzip.decompress((tmp_path / "two.gz").read_bytes()) == source.json()
    assert len(digests) == 2


def test_a_dropped_document_is_gone_and_its_readers_are_told(reader):
    rebuild(Lines(lines={b"%04d" % n: b"x" for n in range(50)}))
    seen = reader.last_change()
    with transaction.atomic():
        actions.drop("simple/demo")
    assert reader.load("simple/demo", "html") is None
    assert reader.changes(seen).keys == ["simple/demo"]
    assert Segment.objects.count() == 0


def test_a_release_document_borrows_its_projects_serial_and_ownership(reader):
    project, release = Lines(key="project/demo", serial=7), Lines(key="release/demo/1")
    rebuild(project)
    rebuild(release)
    assert b'"last_serial":7' in read(reader, "release/demo/1", "json")
    assert reader.load("release/other/1", "json") is None


def test_a_rolled_back_change_is_told_to_nobody(reader):
    seen = reader.last_change()
    with transaction.atomic():
        actions.rebuild(Lines())
        transaction.set_rollback(True)
    assert reader.changes(seen).keys == []


def test_a_reader_that_fell_behind_the_pruned_feed_is_told_to_forget_everything(reader):
    source = Lines()
    for _ in range(3):
        rebuild(source)
    first = Change.objects.order_by("pk").first().pk
    Change.objects.update(at="2020-01-01T00:00:00Z")
    prune_changes.call()
    assert Change.objects.count() == 1
    assert reader.changes(first).complete is False
    assert reader.changes(reader.last_change()).complete is True


@given(st.lists(st.binary(max_size=200), max_size=12))
def test_pieces_join_to_one_gzip_member_and_checksums_combine(parts):
    pieces, whole = [deflate(part) for part in parts], b"".join(parts)
    assert gzip.decompress(join_gzip(pieces, whole)) == whole
    crc = 0
    for part in parts:
        crc = combine(crc, zlib.crc32(part), shift_by(len(part)))
    assert crc == zlib.crc32(whole)


def test_a_reader_is_closed_while_threads_ask_and_tells_the_others(settings):
    """Closing below a question that is being answered would end the process."""
    reader = from_url(settings.PACKHOUSE.database)
    reader.last_change()
    answers = []

    def ask():
        try:
            while True:
                answers.append(reader.last_change())
        except Unavailable:
            answers.append("unavailable")

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answers) < 200:
        threads[0].join(0.001)
    reader.close()
    for thread in threads:
        thread.join(60)
    assert answers[-1] == "unavailable"


def test_documents_from_before_editions_are_of_the_stamp_s():
    rebuild(Lines())
    rebuild(Lines("stamp"))
    Document.objects.filter(key="stamp").update(shared=edition.stamp_of("https://before.example"))
    call_command("migrate", "documents", "0003", verbosity=0)
    call_command("migrate", "documents", verbosity=0)
    assert set(Document.objects.values_list("made", flat=True)) == {
        edition.number(edition.stamp_of("https://before.example/"))
    }
    assert edition.number(edition.stamp_of("https://before.example")) != actions.current()
