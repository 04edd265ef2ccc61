"""kill -9 in the middle of uploads: what was acknowledged is kept, what was not can be sent again."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import Site, check, seconds_until_drained
from tests.faults.publishing import Load, changes, new_user, retry_all, soon
from tests.servers.packhouse import Running, front
from tests.servers.postgresql import Machine
from tests.servers.processes import descendants

from packhouse.cli.supervisor import STEADY

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def processes(index: Running, part: str) -> list[int]:
    return sorted(pid for pid, line in descendants(index.process.pid).items() if part in line)


def kill_one_of(found: Callable[[], list[int]], chance: random.Random) -> None:
    """Kill one of the processes that are *found*, as soon as there is one: it may just be started again."""
    while True:
        assert soon(lambda: bool(found()), 60), "there is none to kill"
        with suppress(IndexError, ProcessLookupError):  # the last of them has just ended
            os.kill(chance.choice(found()), signal.SIGKILL)
            return


def kill_web_worker(index: Running, chance: random.Random) -> None:
    kill_one_of(lambda: front(index).workers, chance)


def kill_web_server(index: Running, chance: random.Random) -> None:
    kill_one_of(lambda: [master] if (master := front(index).master) else [], chance)


def kill_standby(index: Running, chance: random.Random) -> None:
    kill_one_of(lambda: front(index).standbys, chance)


def kill_task_worker(index: Running, chance: random.Random) -> None:
    kill_one_of(lambda: processes(index, "cli work") + processes(index, "queue.lane"), chance)


ACKNOWLEDGED = 20
"""Uploads between two kills, at least: kills of an index that does nothing show nothing."""
KILLS = [kill_web_worker, kill_web_server, kill_web_server, kill_standby, kill_task_worker]


def is_whole(index: Running, workers: int = 2) -> bool:
    """Whether the server says that it is ready, and its master, all its workers and who stands by are there."""
    with suppress(OSError, HTTPException), Site(index.url) as site:
        return site.get("/_ready/")[0] == 200 and front(index).is_whole(workers)
    return False


def test_no_acknowledged_upload_is_lost_by_kills_of_any_process(
    durable_index: Running,
    token: str,
    durable_postgresql: Machine | None,
    rounds: Callable[[int, int], Iterator[int]],
    figures: Figures,
) -> None:
    index, chance, kills = durable_index, random.Random("kills"), Counter[str]()
    returns = list[float]()
    new_user(index, "grace")
    time.sleep(STEADY)  # a server that never stayed up is started ever later
    with Load([index.url], token) as load, changes(index, "fault", pause=0.1) as changed:
        for number in rounds(5, 300):
            files, changes_before = len(load.told.acknowledged) + ACKNOWLEDGED, changed.total()
            assert soon(lambda files=files: len(load.told.acknowledged) >= files, 600), load.told.answers
            assert soon(lambda before=changes_before: changed.total() > before, 600), "the maintainer has ended"
            time.sleep(chance.uniform(0.0, 0.5))
            if durable_postgresql and number % 5 == 4:
                kills["kill_postgresql"] += 1
                durable_postgresql.stop(signal.SIGKILL)
                durable_postgresql.start()
            else:
                kill = chance.choice(KILLS)
                kills[kill.__name__] += 1
                kill(index, chance)
            began = time.monotonic()
            assert soon(lambda: is_whole(index), 240), index.printed()[-3000:]
            returns.append(time.monotonic() - began)
    emptied = seconds_until_drained(index, time.monotonic())
    told = load.told
    acknowledged = len(told.acknowledged)
    in_flight = len(told.unknown)
    assert retry_all(index.url, token, told) == []
    found = check(index.url, index.home, database=index.database, told=told, in_flight=in_flight)
    assert found.violations == []
    assert set(told.answers) <= {"200", "lost", "503 None", "503", "503 database-unavailable", "503 try-again"}
    assert acknowledged >= ACKNOWLEDGED * kills.total()
    assert changed.total() >= kills.total()
    returns.sort()
    figures(
        kills=kills,
        acknowledged=acknowledged,
        answers=told.answers,
        changes=changed,
        median_return=returns[len(returns) // 2],
        slowest_return=returns[-1],
        drained=emptied,
        looked=found.looked,
    )


def test_nothing_is_lost_when_everything_is_killed_at_once(
    durable_index: Running, token: str, rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    """The supervisor dies, and all others with it; the next start is a plain one."""
    from tests.servers import packhouse

    index, chance = durable_index, random.Random("everything")
    told, number, slowest = None, 0, 0.0
    for number in rounds(1, 30):
        with Load([index.url], token, first=1000 * number) as load:
            time.sleep(chance.uniform(0.3, 1.0))
            index.process.kill()
            index.process.wait()
        if told:
            load.told.acknowledged |= told.acknowledged
            load.told.unknown |= told.unknown
        told = load.told
        port = int(index.url.rpartition(":")[2])
        began = time.monotonic()
        index = packhouse.start_packhouse(index.home, database=index.database, workers=2, port=port)
        slowest = max(slowest, time.monotonic() - began)
    assert told is not None
    try:
        assert retry_all(index.url, token, told) == []
        found = check(index.url, index.home, database=index.database, told=told)
        assert found.violations == []
        figures(kills=number + 1, acknowledged=len(told.acknowledged), slowest_start=slowest, looked=found.looked)
    finally:
        index.stop()
