"""Backups of an index that serves, and what comes of them on an empty machine."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.invariants import Site, check
from tests.faults.publishing import Load, Told, new_token, new_upload, publish
from tests.files.test_stores import s3_endpoint, s3_url  # noqa: F401 - fixtures
from tests.servers import packhouse
from tests.servers.packhouse import Running, run_cli

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PASSPHRASE = "four words are enough"


def a_database(request: pytest.FixtureRequest, purpose: str) -> str | None:
    if request.config.getoption("--database") == "sqlite":
        return None
    return str(request.getfixturevalue("postgres_server").create_database(purpose))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Running]:
    with packhouse.running(tmp_path_factory.mktemp("index"), database=a_database(request, "backup")) as index:
        yield index


@pytest.fixture(scope="module")
def token(index: Running) -> str:
    return new_token(index)


@pytest.fixture
def empty_database(request: pytest.FixtureRequest) -> str | None:
    return a_database(request, "restored")


@pytest.fixture
def passphrase(tmp_path: Path) -> str:
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE)
    return str(path)


def fill(index: Running, token: str, numbers: range) -> Told:
    told = Told()
    assert {publish(index.url, token, new_upload(number), told) for number in numbers} == {"200"}
    return told


@contextmanager
def restored(
    former: Running, tmp_path: Path, target: Path | str, database: str | None, *more: str
) -> Iterator[Running]:
    """The index that *target* holds, restored; messages of *former* have left already and lie where they left to."""
    home = tmp_path / "elsewhere"
    run_cli(home, "backup", "restore", str(target), *more, database=database)
    shutil.copytree(former.home / "outbox", home / "outbox", dirs_exist_ok=True)
    with packhouse.running(home, database=database) as index:
        yield index


def test_an_index_is_the_same_after_backup_and_restore_but_for_its_serials(
    index: Running, token: str, tmp_path: Path, passphrase: str, empty_database: str | None
) -> None:
    target = tmp_path / "backups"
    told = fill(index, token, range(8))
    made = index.run_cli("backup", "create", str(target), "--passphrase-file", passphrase).stdout
    later = fill(index, token, range(8, 10))
    with Site(index.url) as site:
        seen = max(entry[4] for entry in site.journal())
    assert "0 problems" in run_cli(index.home, "backup", "verify", str(target)).stdout
    stored = b"".join(path.read_bytes() for path in target.rglob("*") if path.is_file())
    assert (index.home / "secrets" / "secret-key").read_bytes().strip() not in stored

    with restored(index, tmp_path, target, empty_database, "--passphrase-file", passphrase) as other:
        found = check(other.url, other.home, database=other.database, told=told, in_flight=0)
        assert found.violations == []
        assert f"{len(found.listed)} files" in made
        with Site(other.url) as site:
            pages = [site.json(f"/simple/{upload.project}/")[2] for upload in told.acknowledged.values()]
        assert min(page["meta"]["_last-serial"] for page in pages) > seen
        assert {publish(other.url, token, upload, told) for upload in later.acknowledged.values()} == {"200"}
        assert check(other.url, other.home, database=other.database, told=told, in_flight=0).violations == []


def test_each_backup_copies_what_is_new_and_each_can_be_restored_onto_what_is_empty(
    index: Running, token: str, tmp_path: Path, empty_database: str | None
) -> None:
    target = tmp_path / "backups"
    assert "The secrets are not in it" in index.run_cli("backup", "create", str(target)).stdout
    with Site(index.url) as site:
        there = len(site.json("/simple/")[2]["projects"])
    fill(index, token, range(20, 22))
    assert " 4 blobs copied" in index.run_cli("backup", "create", str(target)).stdout  # two wheels, with metadata
    first = index.run_cli("backup", "list", str(target)).stdout.partition(":")[0]

    refused = index.run_cli("backup", "restore", str(target), check=False)
    assert (refused.returncode, "the database is not empty" in refused.stderr) == (1, True)
    home = tmp_path / "elsewhere"
    done = run_cli(home, "backup", "restore", str(target), "--snapshot", first, database=empty_database)
    assert "API tokens do not work until" in done.stdout
    shutil.copytree(index.home / "outbox", home / "outbox", dirs_exist_ok=True)
    with packhouse.running(home, database=empty_database) as other:
        assert check(other.url, other.home, database=other.database).violations == []
        with Site(other.url) as site:
            assert len(site.json("/simple/")[2]["projects"]) == there


def test_a_backup_in_a_bucket_is_restored_onto_an_empty_machine(
    index: Running,
    token: str,
    tmp_path: Path,
    s3_url: str,  # noqa: F811
    empty_database: str | None,
) -> None:
    told = fill(index, token, range(40, 44))
    index.run_cli("backup", "create", s3_url)
    assert " 0 blobs copied" in index.run_cli("backup", "create", s3_url).stdout
    with Site(index.url) as site:
        seen = max(entry[4] for entry in site.journal())
    with restored(index, tmp_path, s3_url, empty_database) as other:
        found = check(other.url, other.home, database=other.database, told=told, in_flight=0)
        assert found.violations == []
        with Site(other.url) as site:
            page = site.json("/simple/")[2]
        assert page["meta"]["_last-serial"] > seen


def test_a_backup_under_load_names_only_what_it_holds(
    index: Running, token: str, tmp_path: Path, empty_database: str | None
) -> None:
    target = tmp_path / "backups"
    with Load([index.url], token, clients=4, largest=20_000, first=1000) as load:
        threading.Event().wait(1)
        for _ in range(2):
            with load.told.lock:
                acknowledged = dict(load.told.acknowledged)
            index.run_cli("backup", "create", str(target))
    assert set(load.told.answers) == {"200"}
    assert "0 problems" in run_cli(index.home, "backup", "verify", str(target)).stdout
    with restored(index, tmp_path, target, empty_database) as other:
        found = check(other.url, other.home, database=other.database, told=Told(acknowledged), in_flight=0)
        assert found.violations == []


def test_every_fault_of_a_backup_is_found_and_what_is_incomplete_is_not_restored(
    index: Running, token: str, tmp_path: Path, passphrase: str, empty_database: str | None
) -> None:
    target, home = tmp_path / "backups", tmp_path / "elsewhere"
    fill(index, token, range(30, 32))
    index.run_cli("backup", "create", str(target), "--passphrase-file", passphrase)
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase")
    secrets = ("--passphrase-file", str(wrong))
    refused = run_cli(home, "backup", "restore", str(target), *secrets, database=empty_database, check=False)
    assert (refused.returncode, "passphrase does not open" in refused.stderr) == (1, True)

    blobs = sorted(path for path in (target / "blobs").rglob("*") if path.is_file())
    flipped, lost, piece = blobs[0], blobs[1], next((target / "snapshots").rglob("*.zst"))
    whole = {path: path.read_bytes() for path in (flipped, lost, piece)}
    flipped.write_bytes(bytes([whole[flipped][0] ^ 1]) + whole[flipped][1:])
    lost.unlink()
    verdict = run_cli(home, "backup", "verify", str(target), check=False)
    assert verdict.returncode == 1
    assert f"{flipped.name}: other bytes than recorded" in verdict.stdout
    assert f"{lost.name}: missing" in verdict.stdout
    refused = run_cli(home, "backup", "restore", str(target), database=empty_database, check=False)
    assert (refused.returncode, "the backup lacks 2 files" in refused.stderr) == (1, True)

    for path in (flipped, lost):
        path.write_bytes(whole[path])
    run_cli(
        home, "backup", "restore", str(target), database=empty_database
    )  # what the refused one left is no hindrance
    piece.write_bytes(whole[piece][:-1])
    assert run_cli(home, "backup", "verify", str(target), check=False).returncode == 1
