"""A process killed at each of its steps: whatever was half done is finished by the next attempt, and nothing is stuck.

strace ends the process at the n-th of the calls that change files or speak to the database.
"""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.conftest import LONG, Figures
from tests.faults.invariants import check
from tests.faults.publishing import TREE, Told, new_token, new_upload, new_user, publish, soon
from tests.faults.test_kills import is_whole
from tests.servers import packhouse
from tests.servers import processes as servers
from tests.servers.packhouse import Running, front
from tests.servers.postgresql import Machine

CALLS = "fsync,fdatasync,pwrite64,link,linkat,unlink,unlinkat,rename,mkdir,ftruncate,flock,sendto"
CALL = re.compile(r"(\d+) +(\w+)\(")
"""A line of strace: the thread, and what it called."""
Step = tuple[str, int]
"""A system call, and how many of its name there were until then in its thread: strace counts each name by itself."""
OPERATIONS = ("yank", "quarantine", "work", "delete", "role", "mint")
MOSTLY = 0.8
"""Of the steps, at least: the same operation makes a few calls more or less from one time to the next."""
FEW = 4
"""Steps of each operation in the short form; the long one takes all of them."""


class Operator:
    """Makes changes, each in a process that strace may end (see ``tests.faults.operate``)."""

    def __init__(self, index: Running, log: Path) -> None:
        self.log = log
        env = packhouse.environment(index.home, index.database) | {
            "DJANGO_SETTINGS_MODULE": "packhouse.settings",
            "PACKHOUSE_PUBLIC_URL": index.url,
        }
        command = [sys.executable, "-m", "tests.faults.operate"]
        self._process = subprocess.Popen(
            command, env=env, cwd=TREE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def close(self) -> None:
        self._process.communicate(timeout=240)

    def run(self, operation: str, subject: str, *tracing: str, traces: bool = False) -> bool:
        """Whether the change was made; with *tracing* or *traces* under strace."""
        pid = self._ask(f"{operation} fault-0 {subject}")
        if tracing or traces:
            with traced(pid, self.log, *tracing):
                return self._ask("go") == 0
        return self._ask("go") == 0

    def _ask(self, line: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def killing_at(step: Step) -> tuple[str, str]:
    call, number = step
    return ("-e", f"inject={call}:signal=KILL:when={number}")


@contextmanager
def traced(pid: int, log: Path, *arguments: str) -> Iterator[None]:
    """strace hangs on to the process *pid* as long as the block lasts and the process lives."""
    strace = servers.program("strace", package="strace")
    errors = log.with_suffix(".err")
    with errors.open("wb") as output:
        command = [strace, "-f", "-e", f"trace={CALLS}", "-p", str(pid), "-o", str(log), *arguments]
        tracer = subprocess.Popen(command, stderr=output)
    try:
        assert soon(lambda: b"attached" in errors.read_bytes(), 240)
        yield
    finally:
        tracer.terminate()  # it lets go of the process
        try:
            tracer.wait(5)
        except subprocess.TimeoutExpired:  # of a process that is dying it sometimes cannot
            tracer.kill()
            tracer.wait()


def steps_in(log: Path) -> list[Step]:
    """The calls of the busiest thread, in order."""
    calls = defaultdict[str, list[str]](list)
    for line in log.read_text().splitlines():
        if found := CALL.match(line):
            calls[found[1]].append(found[2])
    counts = Counter[str]()
    steps = list[Step]()
    for call in max(calls.values(), key=len, default=[]):
        counts[call] += 1
        steps.append((call, counts[call]))
    return steps


def chosen(steps: list[Step]) -> Iterable[tuple[int, Step]]:
    """All of the *steps*, or a few that lie far apart, with a number for each."""
    return enumerate(steps if LONG else steps[:: max(1, len(steps) // FEW)], 1)


def was_killed(log: Path) -> bool:
    return "+++ killed by SIGKILL +++" in log.read_text()


def worker(index: Running) -> int:
    return front(index).workers[0]


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
        steps, killed = steps_in(log), 0
        assert len(steps) > 10
        for number, step in chosen(steps):
            upload = new_upload(100 + 4 * number, projects=4)
            with traced(worker(index), log, *killing_at(step)):
                publish(index.url, token, upload, told)
            killed += was_killed(log)
            assert soon(lambda: is_whole(index, 1), 240), index.printed()[-2000:]
            assert publish(index.url, token, upload, told) == "200", step
        found = check(index.url, index.home, database=database, told=told, in_flight=0)
        assert found.violations == []
        assert killed >= (len(steps) * MOSTLY if LONG else 1)
        figures(operation="upload", steps=len(steps), killed=killed, healed=killed)


def test_a_change_killed_at_any_step_is_finished_by_the_next_try(
    tmp_path: Path, durable_postgresql: Machine | None, figures: Figures
) -> None:
    """Releases are yanked, quarantined and deleted, roles given, tokens made, tasks done, SQLite's log written back."""
    database = durable_postgresql.cluster.create_database("steps") if durable_postgresql else None
    with packhouse.running(tmp_path / "home", database=database, works=False) as index:
        token, told = new_token(index), Told()
        new_user(index, "grace")

        def version(number: int) -> str:
            """A release of the project that is changed, published when it is first asked for."""
            upload = new_upload(4 * number, projects=4)
            if upload.filename not in told.acknowledged:
                assert publish(index.url, token, upload, told) == "200"
            return upload.version

        operator = Operator(index, tmp_path / "trace")
        try:
            for operation in OPERATIONS if durable_postgresql else (*OPERATIONS, "write-back"):
                steps, killed = _kill_at_each_step(operator, operation, version)
                figures(operation=operation, steps=steps, killed=killed, healed=killed)
                assert killed >= (steps * MOSTLY if LONG else 1), operation
            assert operator.run("work", "-")
        finally:
            operator.close()
        assert check(index.url, index.home, database=database).violations == []


def _kill_at_each_step(operator: Operator, operation: str, version: Callable[[int], str]) -> tuple[int, int]:
    """How many steps the operation has, and at how many of them it was killed; each was finished afterwards.

    Each begins with SQLite's log empty: else whoever fills it writes it back, and has more steps than others.
    """

    def prepared(number: int) -> str:
        subject = str(number) if operation in {"role", "mint", "write-back"} else version(number)
        assert operator.run("write-back", "-")
        if operation == "work":
            assert operator.run("turn", version(0))
        if operation == "write-back":
            assert operator.run("role", subject)
        return subject

    assert operator.run("work", "-")
    version(0)
    assert operator.run(operation, prepared(0), traces=True)
    steps, killed = steps_in(operator.log), 0
    for number, step in chosen(steps):
        subject = prepared(number)
        if not operator.run(operation, subject, *killing_at(step)):
            assert was_killed(operator.log), (operation, step)
            killed += 1
        assert operator.run(operation, subject), (operation, step)
    return len(steps), killed
