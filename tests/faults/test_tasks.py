"""Workers are killed all the time, tasks are stuck, slow and poisoned: every effect happens, and nobody waits."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import check
from tests.faults.publishing import Load, changes, new_user, retry_all
from tests.faults.test_kills import kill_task_worker
from tests.queue import jobs
from tests.queue.test_worker import eventually, worker
from tests.servers.packhouse import Running

from packhouse.queue.models import QueuedTask

LAG = 5.0
"""Seconds that mail and purges may be late whatever else there is to do."""
PATIENCE = 6
"""How much slower a machine may be that does other things besides."""


def test_every_effect_of_a_change_happens_though_workers_are_killed_all_the_time(
    durable_index: Running, token: str, rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    """Letters, search and audit trail are what the changes made them, once the queue has emptied."""
    index, chance, kills = durable_index, random.Random("tasks"), 0
    new_user(index, "grace")
    with (
        Load([index.url], token, clients=2, largest=20_000) as load,
        changes(index, "fault", seed="one") as one,
        changes(index, "fault", seed="other") as other,
    ):
        for _ in rounds(6, 300):
            time.sleep(chance.uniform(0.5, 2.0))
            with suppress(IndexError, ProcessLookupError):  # it is being started again at this moment
                kill_task_worker(index, chance)
                kills += 1
    assert retry_all(index.url, token, load.told) == []
    found = check(index.url, index.home, database=index.database, told=load.told)
    assert found.violations == []
    assert found.looked["I6 letters of events"] > 0
    figures(kills=kills, changes=one + other, drained=found.drained, looked=found.looked)


@pytest.mark.django_db(transaction=True)
def test_slow_stuck_and_poisoned_tasks_do_not_make_mail_and_purges_late(
    tmp_path: os.PathLike[str], often: Callable[[int, int], int], figures: Figures
) -> None:
    path, lags = f"{tmp_path}/notes", []
    for number in range(4):
        jobs.sleep_too_long.enqueue(f"{path}-stuck-{number}")
        jobs.fail_always.enqueue(f"{path}-poison-{number}")
    for _ in range(often(100, 1000)):
        jobs.nap.enqueue(path)
    with worker() as process:
        for number in range(often(6, 40)):
            task = jobs.note_mail if number % 2 else jobs.note_purge
            began = time.monotonic()
            pk = int(task.enqueue(f"{path}-{number}").id)
            eventually(lambda pk=pk: is_done(pk), 20 * PATIENCE)
            if number:  # the first one waits for the worker to start
                lags.append(time.monotonic() - began)
        dead = QueuedTask.objects.dead().filter(name__endswith="fail_always")
        eventually(lambda: dead.count() == 4, 20 * PATIENCE)
        process.send_signal(signal.SIGTERM)
        process.wait(60)
    assert max(lags) < PATIENCE * LAG
    figures(slow=often(100, 1000), stuck=4, poisoned=4, lags=len(lags), slowest=round(max(lags), 2))


def is_done(pk: int) -> bool:
    return QueuedTask.objects.filter(pk=pk, state=QueuedTask.State.DONE).exists()
