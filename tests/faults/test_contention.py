"""Sixty-four publishers at once, half of them in one project, while roles, tokens, yanks change and releases go."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
from tests.faults.conftest import Figures
from tests.faults.invariants import check
from tests.faults.publishing import DOOMED, Told, changes, new_token, new_upload, new_user, publish, soon
from tests.faults.resources import Held
from tests.servers import packhouse
from tests.servers.packhouse import Running
from tests.servers.processes import processor_seconds

UNLIMITED = {"PACKHOUSE_NEW_PROJECTS_PER_USER": "0", "PACKHOUSE_NEW_PROJECTS_PER_ADDRESS": "0"}
PUBLISHERS = 64


class Publisher(threading.Thread):
    """Uploads until the time is over: those of even numbers into one project, the others into one of their own."""

    def __init__(self, number: int, url: str, token: str, told: Told, until: float, first: int) -> None:
        super().__init__()
        self.number, self.url, self.token, self.told, self.until, self.first = number, url, token, told, until, first
        self.seconds: list[float] = []

    def run(self) -> None:
        prefix = "crowd" if self.number % 2 == 0 else f"alone-{self.number}"
        count = self.first
        while time.monotonic() < self.until:
            upload = new_upload(4 * (self.number * 10_000 + count), size=20_000, projects=1, prefix=prefix)
            began = time.monotonic()
            publish(self.url, self.token, upload, self.told)
            self.seconds.append(time.monotonic() - began)
            count += 1


class Doomed(Publisher):
    """Uploads into the project of many, now and then, what others delete; of that nothing is expected to stay."""

    def run(self) -> None:
        while time.monotonic() < self.until:
            upload = new_upload(DOOMED + 4 * self.first, size=20_000, projects=1, prefix="crowd")
            assert publish(self.url, self.token, upload, Told()) == "200"
            self.first += 1
            time.sleep(0.5)


def _publish_together(index: Running, token: str, told: Told, seconds: float, *, first: int = 0) -> list[Publisher]:
    until = time.monotonic() + seconds
    publishers = [Publisher(number, index.url, token, told, until, first) for number in range(PUBLISHERS)]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    return publishers


def deadlocks(database: str | None) -> int:
    if database is None:
        return 0
    with psycopg.connect(database) as connection:
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()").fetchone()
        return int(row[0]) if row else 0


def test_many_publishers_at_once_are_all_served(
    tmp_path: Path, live_database: str | None, often: Callable[[int, int], int], figures: Figures
) -> None:
    lasting = often(3, 300)
    before = deadlocks(live_database)
    with packhouse.running(tmp_path / "home", database=live_database, workers=2, env=UNLIMITED) as index:
        token, told = new_token(index), Told()
        new_user(index, "grace")
        _publish_together(index, token, told, often(1, 10), first=5_000)
        held = Held.by(index).of_what_grows()
        with ExitStack() as maintainers:
            changed = [
                maintainers.enter_context(changes(index, prefix, seed=f"{prefix} {number}", pause=0.5))
                for prefix in ("crowd", "alone")
                for number in range(2)
            ]
            assert soon(lambda: all(made.total() for made in changed), 240)  # they have started, which takes a while
            ran = processor_seconds(index.process.pid)
            doomed = Doomed(0, index.url, token, told, time.monotonic() + lasting, 0)
            doomed.start()
            publishers = _publish_together(index, token, told, lasting)
            ran = processor_seconds(index.process.pid) - ran
        doomed.join()
        in_flight = doomed.first  # of what is deleted the bytes stay for a while
        found = check(
            index.url, index.home, database=index.database, told=told, in_flight=in_flight, held=(index, held)
        )
    seconds = sorted(second for publisher in publishers for second in publisher.seconds)
    assert found.violations == []
    assert set(told.answers) == {"200"}
    assert deadlocks(live_database) == before
    figures(
        seconds=lasting,
        uploads=len(seconds),
        each_second=round(len(seconds) / lasting, 1),
        median=round(seconds[len(seconds) // 2], 3),
        processor_ms=round(1000 * ran / len(seconds), 1),
        p99=round(seconds[int(len(seconds) * 0.99)], 3),
        changes=sum(changed, Counter()),
        deadlocks=0,
    )
