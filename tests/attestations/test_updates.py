"""Fetching the trusted root through TUF, from a repository on loopback."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tests.factories.sigstore import Sigstore
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

from packhouse.attestations import tasks, updates
from packhouse.attestations.actions import keep_root
from packhouse.attestations.models import Root as Kept
from packhouse.attestations.queries import probe, trusted_root
from packhouse.attestations.trust import TrustUnavailable, public_root
from packhouse.schedule import SCHEDULE


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has there
        pass


class Repository:
    """A TUF repository with one key, in a folder that is served; ``publish`` makes the next version."""

    def __init__(self, folder: Path, key: CryptoSigner | None = None) -> None:
        self.folder, self.key, self.version = folder, key or CryptoSigner.generate_ed25519(), 0
        self.url = ""
        (folder / "targets").mkdir(parents=True)
        root = Root(expires=self._soon())
        for role in ("root", "timestamp", "snapshot", "targets"):
            root.add_key(self.key.public_key, role)
        self.root = self._signed(root)
        (folder / "1.root.json").write_bytes(self.root)

    def publish(self, content: bytes, name: str = "trusted_root.json", *, days: int = 1) -> None:
        self.version += 1
        target = TargetFile.from_data(name, content)
        digest = hashlib.sha256(content).hexdigest()
        (self.folder / "targets" / f"{digest}.{name}").write_bytes(content)
        metas = {"version": self.version, "expires": self._soon(days)}
        targets = Targets(**metas, targets={name: target})
        snapshot = Snapshot(**metas, meta={"targets.json": MetaFile(self.version)})
        timestamp = Timestamp(**metas, snapshot_meta=MetaFile(self.version))
        (self.folder / f"{self.version}.targets.json").write_bytes(self._signed(targets))
        (self.folder / f"{self.version}.snapshot.json").write_bytes(self._signed(snapshot))
        (self.folder / "timestamp.json").write_bytes(self._signed(timestamp))

    def _signed(self, what: Any) -> bytes:
        metadata = Metadata(what)
        metadata.sign(self.key)
        return metadata.to_bytes()

    @staticmethod
    def _soon(days: int = 1) -> datetime:
        return (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    made = Repository(tmp_path / "repository")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(made.folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def a_root(tmp_path: Path) -> bytes:
    return Sigstore().trusted_root(tmp_path / "root.json").read_bytes()


def test_what_the_repository_names_is_fetched_and_what_it_names_next(
    repository: Repository, a_root: bytes, tmp_path: Path
) -> None:
    fetch = partial(updates.fetch, tmp_path / "cache", url=repository.url, root=repository.root)
    repository.publish(a_root)
    assert fetch() == fetch() == a_root
    another = Sigstore().trusted_root(tmp_path / "another.json").read_bytes()
    repository.publish(another)
    assert fetch() == another


def test_what_another_signed_is_not_taken(repository: Repository, a_root: bytes, tmp_path: Path) -> None:
    repository.publish(a_root)
    other = Repository(tmp_path / "other")
    with pytest.raises(RepositoryError):
        updates.fetch(tmp_path / "cache", url=repository.url, root=other.root)


def test_what_is_older_than_what_came_before_is_not_taken(
    repository: Repository, a_root: bytes, tmp_path: Path
) -> None:
    repository.publish(a_root)
    old = (repository.folder / "timestamp.json").read_bytes()
    repository.publish(Sigstore().trusted_root(tmp_path / "another.json").read_bytes())
    updates.fetch(tmp_path / "cache", url=repository.url, root=repository.root)
    (repository.folder / "timestamp.json").write_bytes(old)
    with pytest.raises(RepositoryError):
        updates.fetch(tmp_path / "cache", url=repository.url, root=repository.root)


def test_what_has_expired_or_was_changed_on_the_way_is_not_taken(
    repository: Repository, a_root: bytes, tmp_path: Path
) -> None:
    repository.publish(a_root, days=-1)
    with pytest.raises(RepositoryError):
        updates.fetch(tmp_path / "one", url=repository.url, root=repository.root)
    repository.publish(a_root)
    (path,) = (repository.folder / "targets").iterdir()
    path.write_bytes(a_root.replace(b"rekor.test", b"rekor.evil"))
    with pytest.raises(RepositoryError):
        updates.fetch(tmp_path / "two", url=repository.url, root=repository.root)


def test_a_file_by_which_nothing_can_be_verified_is_not_taken(repository: Repository, tmp_path: Path) -> None:
    repository.publish(b"{}")
    with pytest.raises(TrustUnavailable):
        updates.fetch(tmp_path / "cache", url=repository.url, root=repository.root)
    repository.publish(b"{}", name="another.json")
    with pytest.raises(TrustUnavailable):
        updates.fetch(tmp_path / "cache", url=repository.url, root=repository.root)


def test_the_chain_begins_with_what_the_library_carries() -> None:
    assert json.loads(updates.bootstrap())["signed"]["_type"] == "root"


@pytest.mark.django_db
def test_what_was_fetched_counts_where_the_operator_wants_that_and_until_the_library_is_newer(
    settings: Any, a_root: bytes
) -> None:
    config = settings.PACKHOUSE
    wanted = dataclasses.replace(config, attestation_updates=True)
    assert (trusted_root(config), trusted_root(wanted)) == ("", "")
    settings.PACKHOUSE = wanted
    assert probe() == "not fetched yet: verified by the one that came along"
    keep_root(public_root().read_bytes())
    keep_root(a_root)
    assert (trusted_root(config), trusted_root(wanted)) == ("", a_root)
    assert probe() == f"fetched on {Kept.objects.get().fetched:%Y-%m-%d}"
    assert trusted_root(dataclasses.replace(wanted, attestation_root="/own.json")) == "/own.json"
    Kept.objects.update(beside="0" * 64)
    assert trusted_root(wanted) == ""


@pytest.mark.django_db
def test_nothing_is_fetched_unless_the_operator_wants_it(settings: Any) -> None:
    """The tests open no connection to another machine: this one would fail."""
    tasks.update_root.func()
    settings.PACKHOUSE = dataclasses.replace(
        settings.PACKHOUSE, attestation_updates=True, attestation_root=str(public_root())
    )
    tasks.update_root.func()
    assert not Kept.objects.exists()
    assert tasks.update_root in [entry.task for entry in SCHEDULE]
