"""A disk is full, of the spool, of the files, of the database: uploads are told so, reads go on, and it passes."""

import itertools
import os
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import Site, check
from tests.faults.publishing import Load, Told, new_token, new_upload, publish, retry_all, soon
from tests.faults.test_kills import is_whole, kill_task_worker, kill_web_worker
from tests.servers import packhouse, postgresql
from tests.servers.packhouse import Running
from tests.servers.postgresql import Machine

MIB = 1024**2
TOLD = 1.0
"""Seconds within which an upload is to hear that there is no room: counted, not required, since machines are busy."""
PATIENCE = 240.0
"""Seconds until uploads must succeed again.  The promise, 10 s, is for the figures to show."""
BIG = 600_000
"""Bytes of an upload that does not stay in memory on its way."""


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of *size* bytes at *folder*; a visible skip where this user may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a file system here (root only)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Leave no byte free on the file system of *folder*."""
    ballast = folder / "ballast"
    free = shutil.disk_usage(folder).free
    with ballast.open("wb") as file, suppress(OSError):
        os.posix_fallocate(file.fileno(), 0, free)
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


PLACES = {"spool": "spool", "files": "files", "database": "database"}


@pytest.mark.usefixtures("on_one_database")
@pytest.mark.parametrize("place", PLACES)
def test_a_full_disk_refuses_uploads_keeps_reads_and_heals(
    place: str,
    tmp_path: Path,
    live_database: str | None,
    often: Callable[[int, int], int],
    rounds: Callable[[int, int], Iterator[int]],
    figures: Figures,
) -> None:
    if place == "database" and live_database:
        pytest.skip("a full PostgreSQL has a test of its own")
    home = tmp_path / "home"
    with small_disk(home / PLACES[place], often(24, 240) * MIB) as disk:  # as large as what stays on it
        database = f"sqlite://{disk}/packhouse.db" if place == "database" else live_database
        with packhouse.running(home, database=database, workers=1) as index:
            token, told, waited, back = new_token(index), Told(), list[float](), list[float]()
            assert publish(index.url, token, new_upload(0), told) == "200"
            for number in rounds(1, 10):
                _one_round(index, token, told, disk, (number + 1) * 1000, waited, back)
            assert retry_all(index.url, token, told) == []
            found = check(index.url, index.home, database=index.database, told=told)
            assert found.violations == []
            assert list((home / "spool").iterdir()) == []
            assert list((home / "files" / ".spool").iterdir()) == []
            figures(
                place=place,
                answers=told.answers,
                told_in_time=f"{sum(seconds <= TOLD for seconds in waited)} of {len(waited)}",
                slowest=max(waited),
                slowest_return=max(back),
                looked=found.looked,
            )


@pytest.mark.usefixtures("on_one_database")
def test_a_full_disk_of_the_log_stops_nothing(tmp_path: Path, live_database: str | None) -> None:
    """No line can be written: uploads, reads and tasks go on, and who dies is replaced."""
    home, told = tmp_path / "home", Told()
    with small_disk(tmp_path / "log", 4 * MIB) as disk:
        home.mkdir()
        (home / "serve.log").symlink_to(disk / "serve.log")
        fill(disk)
        with packhouse.running(home, database=live_database, workers=2) as index:
            token = new_token(index)
            for part in range(2):
                uploads = [new_upload(4 * part + number) for number in range(4)]
                assert {publish(index.url, token, upload, told) for upload in uploads} == {"200"}
                kill_web_worker(index, random.Random(part))
                kill_task_worker(index, random.Random(part))
                assert soon(lambda: is_whole(index), PATIENCE)
            assert check(index.url, home, database=live_database, told=told, in_flight=0).violations == []
        assert (disk / "serve.log").stat().st_size == 0


def test_a_full_disk_of_postgresql_refuses_uploads_keeps_reads_and_loses_nothing(
    tmp_path: Path, only_postgresql: Machine, often: Callable[[int, int], int], figures: Figures
) -> None:
    """PostgreSQL ends itself when it cannot write its log; whoever watches it starts it again."""
    with (
        tempfile.TemporaryDirectory(prefix="packhouse-disk-") as mounted,
        small_disk(Path(mounted), 160 * MIB) as disk,
    ):
        disk.chmod(0o755)
        with postgresql.machine(durable=True, within=disk) as machine:
            database = machine.cluster.create_database("small")
            with packhouse.running(tmp_path / "home", database=database) as index:
                token, told = new_token(index), Told()
                for number in range(often(1, 10)):
                    _fill_postgresql(index, token, told, machine, disk, number * 1000)
                assert retry_all(index.url, token, told) == []
                found = check(index.url, index.home, database=database, told=told)
                assert found.violations == []
                figures(place="PostgreSQL", answers=told.answers, looked=found.looked)


def _fill_postgresql(
    index: Running, token: str, told: Told, machine: postgresql.Machine, disk: Path, first: int
) -> None:
    assert soon(lambda: publish(index.url, token, new_upload(4 * first), told) == "200", PATIENCE)
    path = f"/simple/{new_upload(4 * first).project}/"
    with Site(index.url) as site:
        assert site.json(path)[0] == 200
    ballast = fill(disk)
    refused = 0
    for number in itertools.count(1):
        answer = publish(index.url, token, new_upload(4 * (first + number)), told)
        assert answer[:3] in {"200", "507", "503"}, answer  # what room there was inside its files is used up first
        refused = refused + 1 if answer[:3] in {"507", "503"} else 0
        if refused == 4:
            break
    with Site(index.url) as site:  # the former connection may have been idle for too long
        assert site.json(path)[0] in {200, 503}  # an older page is never shown after a newer one
    ballast.unlink()
    if machine.has_ended:
        machine.start()
    assert soon(lambda: retry_all(index.url, token, told) == [], PATIENCE)


def _one_round(
    index: Running, token: str, told: Told, disk: Path, first: int, waited: list[float], back: list[float]
) -> None:
    with Site(index.url) as site:
        paths = [f"/simple/{project['name']}/" for project in site.json("/simple/")[2]["projects"]]
        ballast = fill(disk)
        refused = 0
        for number in itertools.count(first):
            began = time.monotonic()
            answer = publish(index.url, token, new_upload(4 * number, size=BIG), told)
            waited.append(time.monotonic() - began)
            refused += answer[:3] in {"507", "503"}
            # a database uses up what room there is inside its files first
            assert answer[:3] in {"507", "503"} or (answer == "200" and disk.name == "database"), answer
            assert {site.json(path)[0] for path in paths} == {200}
            if refused == 4:
                break
        with Load([index.url], token, clients=8, largest=100_000, first=first * 10) as load, Site(index.url) as other:
            time.sleep(1)
            assert {other.json(path)[0] for path in paths} == {200}
        assert not {answer for answer in load.told.answers if answer.startswith(("500", "lost"))}, load.told.answers
        ballast.unlink()
        freed = time.monotonic()
        assert soon(lambda: publish(index.url, token, new_upload(4 * first, size=BIG), told) == "200", PATIENCE)
        back.append(time.monotonic() - freed)
    told.acknowledged |= load.told.acknowledged
    told.unknown |= load.told.unknown
    told.answers += load.told.answers
