"""Workers are killed all the time, tasks are stuck, slow and poisoned: every effect happens, and nobody waits."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.faults.conftest import LONG, Figures
from tests.faults.invariants import check, seconds_until_drained
from tests.faults.publishing import Load, Told, changes, new_token, new_user, retry_all, soon
from tests.faults.test_kills import kill_task_worker
from tests.purge.test_ports import service
from tests.queue import jobs
from tests.queue.test_worker import eventually, worker
from tests.servers import packhouse
from tests.servers.packhouse import Running
from tests.servers.postgresql import Machine

from packhouse.cli.supervisor import STEADY
from packhouse.queue.models import QueuedTask

PATIENCE = 240.0
"""Seconds until a task must be done, far less than the slow ones before it take on a busy machine.

The promise, 5 s for mail and purges on a machine of its own, is for the figures to show.
"""


@pytest.mark.usefixtures("on_one_database")
def test_every_effect_of_a_change_happens_though_workers_are_killed_all_the_time(
    tmp_path: Path,
    durable_postgresql: Machine | None,
    rounds: Callable[[int, int], Iterator[int]],
    figures: Figures,
) -> None:
    """Letters, search and audit trail are what the changes made them, once the queue has emptied.

    In the long form a cache in front must have heard of every project, too; that takes a minute more.
    """
    database = durable_postgresql.cluster.create_database("faults") if durable_postgresql else None
    with ExitStack() as stack:
        port, asked = stack.enter_context(service(Packhouse_Purged="1"))
        env = {"PACKHOUSE_PURGE": f"varnish://127.0.0.1:{port}"} if LONG else {}
        index = stack.enter_context(packhouse.running(tmp_path / "home", database=database, workers=2, env=env))
        token = new_token(index)
        told, kills, changed, last = _kill_workers(index, token, rounds(4, 300), env)
        emptied = seconds_until_drained(index, last)
        assert retry_all(index.url, token, told) == []
        found = check(index.url, index.home, database=index.database, told=told)
        assert found.violations == []
        assert found.looked["I6 letters of events"] > 0
        if LONG:
            purged = {key for _, _, headers, _ in asked for key in headers["Packhouse-Soft-Purge"].split()}
            assert purged >= {f"project/{upload.project}" for upload in told.acknowledged.values()}
        figures(kills=kills, changes=changed, purges=len(asked), drained=emptied, looked=found.looked)


def _kill_workers(
    index: Running, token: str, numbers: Iterator[int], env: dict[str, str]
) -> tuple[Told, int, Counter[str], float]:
    """What publishers were told, the number of kills, the changes made, and when the last kill was."""
    chance, kills, last = random.Random("tasks"), 0, time.monotonic()
    new_user(index, "grace")
    if LONG:
        time.sleep(STEADY)  # a worker that never stayed up is started ever later, and then there is none to be killed
    with (
        Load([index.url], token, clients=2, largest=20_000) as load,
        changes(index, "fault", seed="one", env=env) as one,
        changes(index, "fault", seed="other", env=env) as other,
    ):
        for _ in numbers:
            known = _letters(index)
            assert soon(lambda known=known: _letters(index) > known, 240), index.printed()[-3000:]
            time.sleep(chance.uniform(0.0, 2.0))
            kill_task_worker(index, chance)
            kills, last = kills + 1, time.monotonic()
    return load.told, kills, one + other, last


def _letters(index: Running) -> int:
    """How many have left: kills of a worker that does nothing show nothing."""
    return len(list((index.home / "outbox").glob("*.eml")))


@pytest.mark.usefixtures("on_one_database")
@pytest.mark.django_db(transaction=True)
def test_slow_stuck_and_poisoned_tasks_do_not_make_mail_and_purges_late(
    tmp_path: os.PathLike[str], often: Callable[[int, int], int], figures: Figures
) -> None:
    path, lags = f"{tmp_path}/notes", []
    for number in range(4):
        jobs.sleep_too_long.enqueue(f"{path}-stuck-{number}")
        jobs.fail_always.enqueue(f"{path}-poison-{number}")
    for _ in range(often(300, 1000)):
        jobs.nap.enqueue(path)
    with worker() as process:
        for number in range(often(6, 40)):
            task = jobs.note_mail if number % 2 else jobs.note_purge
            began = time.monotonic()
            pk = int(task.enqueue(f"{path}-{number}").id)
            eventually(lambda pk=pk: is_done(pk), PATIENCE)
            if number:  # the first one waits for the worker to start
                lags.append(time.monotonic() - began)
            else:
                overtook = QueuedTask.objects.waiting().filter(name__endswith="nap").exists()
        dead = QueuedTask.objects.dead().filter(name__endswith="fail_always")
        eventually(lambda: dead.count() == 4, PATIENCE)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert overtook
    figures(slow=often(300, 1000), stuck=4, poisoned=4, lags=len(lags), slowest=round(max(lags), 2))


def is_done(pk: int) -> bool:
    return QueuedTask.objects.filter(pk=pk, state=QueuedTask.State.DONE).exists()
