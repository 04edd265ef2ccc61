"""kill -9 in the middle of uploads: what was acknowledged is kept, what was not can be sent again."""

import os
import random
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.publisher import Ledger, make_publisher, read
from tests.servers import packhouse
from tests.servers.packhouse import Running
from tests.servers.processes import descendants

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]

UPLOADERS = 3


def front(index: Running) -> list[int]:
    """The processes of the server: granian's first, then its workers."""
    return sorted(pid for pid, line in descendants(index.process.pid).items() if "cli.front" in line)


def kill_a_worker(index: Running, chance: random.Random) -> None:
    os.kill(chance.choice(front(index)[1:]), signal.SIGKILL)


def kill_the_server(index: Running, chance: random.Random) -> None:
    os.kill(front(index)[0], signal.SIGKILL)


def kill_the_supervisor(index: Running, chance: random.Random) -> None:
    index.process.kill()
    index.process.wait()


@contextmanager
def publishing(ledger: Ledger, index: Running, token: str) -> Iterator[None]:
    """Several publishers upload as long as the block lasts."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=ledger.publish_until, args=(stop, index.url, token, part)) for part in range(UPLOADERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def recovered(index: Running) -> None:
    """The server is whole again: two workers, and it says that it is ready."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{index.url}/_ready/", timeout=5) as answer:
                if answer.status == 200 and len(front(index)) >= 3:
                    return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail(f"the server did not come back:\n{index.printed()[-3000:]}")


Killing = Callable[[Running, random.Random], None]


@pytest.mark.parametrize(("kill", "rounds"), [(kill_a_worker, 4), (kill_the_server, 3)])
def test_no_acknowledged_upload_is_lost_when_the_server_is_killed(
    tmp_path: Path, live_database: str | None, kill: Killing, rounds: int
) -> None:
    chance = random.Random(kill.__name__)
    ledger = Ledger("killed", chance)
    with packhouse.running(tmp_path / "home", database=live_database, workers=2) as index:
        token = make_publisher(index)
        for _ in range(rounds):
            recovered(index)
            with publishing(ledger, index, token):
                time.sleep(chance.uniform(0.1, 0.6))
                kill(index, chance)
                time.sleep(0.3)
            recovered(index)
            ledger.check(index.url, token)
    assert set(ledger.odd) <= {503}, ledger.odd
    assert len(ledger.acknowledged) > rounds


def test_no_acknowledged_upload_is_lost_when_everything_is_killed(tmp_path: Path, live_database: str | None) -> None:
    chance = random.Random("everything")
    ledger = Ledger("killed", chance)
    token = ""
    for _ in range(3):
        with packhouse.running(tmp_path / "home", database=live_database, workers=2) as index:
            token = token or make_publisher(index)
            if ledger.acknowledged or ledger.unanswered:
                ledger.check(index.url, token)
            with publishing(ledger, index, token):
                time.sleep(chance.uniform(0.1, 0.6))
                kill_the_supervisor(index, chance)
    with packhouse.running(tmp_path / "home", database=live_database, workers=2) as index:
        ledger.check(index.url, token)
        assert b"killed" in read(index.url, "/simple/")
        done = index.run_cli("reconcile", check=False)
        assert done.returncode == 0, done.stdout + done.stderr
