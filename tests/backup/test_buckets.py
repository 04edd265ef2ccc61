"""Backups in a bucket: the same parts, found again, read back, told apart from what is damaged."""

from pathlib import Path

import pytest
from django.conf import settings
from tests.files.test_stores import s3_endpoint, s3_url  # noqa: F401 - fixtures
from tests.index import world

from packhouse.backup import parts
from packhouse.backup.create import create
from packhouse.backup.manifest import BackupError
from packhouse.backup.target import Target
from packhouse.backup.verify import verify
from packhouse.files import default_store
from packhouse.index import startup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def target(s3_url: str) -> Target:  # noqa: F811
    return Target.at(s3_url)


@pytest.fixture
def filename() -> str:
    """The one file of an index that has one."""
    startup.make_ready()
    file = world.publish(world.create("bucketed"), "1.0", "bucketed-1.0-py3-none-any.whl")
    default_store().put(file.path, file.filename.encode(), size=file.size, sha256_hex=file.sha256)
    return str(file.filename)


def test_a_backup_in_a_bucket_can_be_listed_and_verified_and_copies_each_file_once(
    target: Target, filename: str, tmp_path: Path
) -> None:
    first = create(settings.PACKHOUSE, target, passphrase="a long passphrase")
    again = create(settings.PACKHOUSE, target)
    assert (first.copied.new, again.copied.new) == (1, 0)
    assert list(target.names()) == sorted([first.manifest.name, again.manifest.name])
    for made in (first, again):
        verdict = verify(target, tmp_path, name=made.manifest.name)
        assert (verdict.problems, verdict.blobs, verdict.manifest) == ([], 1, made.manifest)


def test_what_the_index_has_lost_is_named_in_the_backup(target: Target, filename: str, tmp_path: Path) -> None:
    for blob in list(default_store().iter_keys()):
        default_store().delete(blob.key)
    made = create(settings.PACKHOUSE, target)
    assert [key.rpartition("/")[2] for key in made.manifest.missing] == [filename]
    assert len(verify(target, tmp_path).problems) == 1


def test_a_place_without_backups_and_one_that_is_none_say_so(target: Target) -> None:
    with pytest.raises(BackupError, match="no complete backup"):
        target.manifest()
    with pytest.raises(BackupError, match="ftp"):
        Target.at("ftp://example.org/backups")


def test_parts_larger_than_a_piece_are_whole_again(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PIECE", 1000)
    chunks = [bytes([number % 251]) * 997 + number.to_bytes(4, "big") * 300 for number in range(500)]
    part = parts.store(parts.Packed("x", parts.pack("x", chunks, tmp_path)), target.snapshots)
    assert len(part.pieces) > 1
    assert b"".join(parts.read(part, target.snapshots)) == b"".join(chunks)
