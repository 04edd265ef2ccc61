"""A process killed at each of its steps: whatever was half done is finished by the next attempt, and nothing is stuck.

strace ends the process at the n-th of the calls that change files or speak to the database.
"""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.conftest import LONG, Figures
from tests.faults.invariants import check
from tests.faults.publishing import Told, new_token, new_upload, publish, soon
from tests.faults.test_kills import is_whole, processes
from tests.servers import packhouse
from tests.servers import processes as servers
from tests.servers.packhouse import Running
from tests.servers.postgresql import Machine

CALLS = "fsync,fdatasync,pwrite64,link,linkat,unlink,unlinkat,rename,mkdir,ftruncate,flock,sendto"
MOST = 80
"""Steps at most: other threads have calls of their own, now and then."""


def strace(*arguments: str) -> list[str]:
    return [servers.program("strace", package="strace"), "-f", "-e", f"trace={CALLS}", *arguments]


def killing_at(step: int) -> tuple[str, ...]:
    return ("-e", f"inject={CALLS}:signal=KILL:when={step}")


@contextmanager
def traced(pid: int, log: Path, *arguments: str) -> Iterator[None]:
    """strace hangs on to the process *pid* as long as the block lasts and the process lives."""
    with log.with_suffix(".err").open("wb") as errors:
        tracer = subprocess.Popen(strace("-p", str(pid), "-o", str(log), *arguments), stderr=errors)
    try:
        assert soon(lambda: b"attached" in log.with_suffix(".err").read_bytes(), 10)
        time.sleep(0.1)
        yield
    finally:
        tracer.terminate()  # it lets go of the process
        try:
            tracer.wait(5)
        except subprocess.TimeoutExpired:  # of a process that is dying it sometimes cannot
            tracer.kill()
            tracer.wait()


def steps_in(log: Path) -> int:
    """The calls of the busiest thread."""
    threads = Counter(line.split()[0] for line in log.read_text().splitlines() if "(" in line)
    return max(threads.values(), default=0)


def worker(index: Running) -> int:
    return processes(index, "cli.front")[1]


def test_an_upload_killed_at_any_step_is_healed_by_the_next_try(
    tmp_path: Path, durable_postgresql: Machine | None, figures: Figures
) -> None:
    database = durable_postgresql.cluster.create_database("steps") if durable_postgresql else None
    told, log = Told(), tmp_path / "trace"
    with packhouse.running(tmp_path / "home", database=database, env={"PACKHOUSE_THREADS": "1"}) as index:
        token = new_token(index)
        assert publish(index.url, token, new_upload(0), told) == "200"
        with traced(worker(index), log):
            assert publish(index.url, token, new_upload(4, projects=4), told) == "200"
        last = min(steps_in(log), MOST)
        assert last > 10
        killed = 0
        for step in range(1, last + 1, 1 if LONG else max(1, last // 5)):
            upload = new_upload(100 + 4 * step, projects=4)
            with traced(worker(index), log, *killing_at(step)):
                publish(index.url, token, upload, told)
            killed += "+++ killed by SIGKILL +++" in log.read_text()
            assert soon(lambda: is_whole(index, 2), 60), index.printed()[-2000:]
            assert publish(index.url, token, upload, told) == "200", step
        found = check(index.url, index.home, database=database, told=told, in_flight=0)
        assert found.violations == []
        assert killed > 3
        figures(operation="upload", steps=last, killed=killed, healed=killed)


@pytest.mark.skipif(not LONG, reason="the long form only (make faults)")
@pytest.mark.parametrize("operation", ["yank", "delete", "quarantine", "role", "mint"])
def test_a_change_killed_at_any_step_is_finished_by_the_next_try(
    operation: str, tmp_path: Path, durable_postgresql: Machine | None, figures: Figures
) -> None:
    database = durable_postgresql.cluster.create_database("steps") if durable_postgresql else None
    with packhouse.running(tmp_path / "home", database=database) as index:
        token, told, log = new_token(index), Told(), tmp_path / "trace"
        for number in range(0, MOST * 4, 4):
            assert publish(index.url, token, new_upload(number, projects=4), told) == "200"
        subjects = [upload.version for upload in told.acknowledged.values()]
        if operation == "role":
            subjects = [_new_user(index, f"user{number}") for number in range(MOST)]
        run = _operator(index, operation)
        assert run(strace("-o", str(log)), subjects[0]) == 0
        last = min(steps_in(log), MOST - 1)
        killed = 0
        for step in range(1, last + 1):
            killed += run(strace("-o", str(log), *killing_at(step)), subjects[step]) != 0
            assert run([], subjects[step]) == 0, (operation, step)
        assert check(index.url, index.home, database=database).violations == []
        assert killed >= last - 2
        figures(operation=operation, steps=last, killed=killed, healed=killed)


def _operator(index: Running, operation: str) -> Callable[[list[str], str], int]:
    env = packhouse.environment(index.home, index.database) | {
        "DJANGO_SETTINGS_MODULE": "packhouse.settings",
        "PACKHOUSE_PUBLIC_URL": index.url,
        "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH", "")])),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "tests.faults.operate", operation, "fault-0"]

    def run(before: list[str], subject: str) -> int:
        done = subprocess.run([*before, *command, subject], env=env, capture_output=True, timeout=120, check=False)
        return done.returncode

    return run


def _new_user(index: Running, name: str) -> str:
    password = str(index.home / "password")
    index.run_cli("user", "create", name, "--email", f"{name}@b.example", "--password-file", password, "--verified")
    return name
