"""Faults: what they stand on, how long they go on, and where their figures go.

In the suite each experiment runs in a short form.  ``make faults`` runs the long ones and prints what was counted:
``TESTS_FAULTS`` is the share of their full length, ``TESTS_FAULTS_MINUTES`` the most that the rounds of one may take.
``docs/reference/reliability.md`` tells what was seen.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.faults.publishing import new_token
from tests.servers import packhouse, postgresql
from tests.servers.packhouse import Running

SHARE = float(os.environ.get("TESTS_FAULTS") or 0)
MINUTES = float(os.environ.get("TESTS_FAULTS_MINUTES") or 0)
LONG = SHARE > 0
Figures = Callable[..., None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(4 * 3600 if LONG else 400))


@pytest.fixture
def often() -> Callable[[int, int], int]:
    """``often(20, 300)``: the first in the short form, the second, or a share of it, in the long one."""
    return lambda short, long: max(short, round(long * SHARE))


@pytest.fixture
def rounds(often: Callable[[int, int], int]) -> Callable[[int, int], Iterator[int]]:
    """Like ``often``, to be gone through; ends early when the time is over that one experiment may take."""

    def count(short: int, long: int) -> Iterator[int]:
        ends = time.monotonic() + (60 * MINUTES if LONG and MINUTES else math.inf)
        for number in range(often(short, long)):
            if number >= short and time.monotonic() > ends:
                return
            yield number

    return count


@pytest.fixture
def on_one_database(request: pytest.FixtureRequest) -> None:
    """What does not depend on the database is tried with SQLite alone, but for the long form."""
    if request.config.getoption("--database") == "postgresql" and not LONG:
        pytest.skip("does not depend on the database: the suite on SQLite runs it")


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Figures:
    """Tells what was counted, in a line of the file that ``TESTS_FIGURES`` names, if it names one."""
    path = os.environ.get("TESTS_FIGURES")

    def tell(**counted: object) -> None:
        if path:
            database = request.config.getoption("--database")
            with Path(path).open("a") as file:
                file.write(json.dumps({"test": request.node.name, "database": database, **counted}) + "\n")

    return tell


@pytest.fixture
def durable_postgresql(request: pytest.FixtureRequest) -> Iterator[postgresql.Machine | None]:
    """On PostgreSQL a cluster of this test's own that waits for the disk and may be killed; on SQLite None."""
    if request.config.getoption("--database") == "sqlite":
        yield None
        return
    with postgresql.machine(durable=True) as machine:
        yield machine


@pytest.fixture
def only_postgresql(durable_postgresql: postgresql.Machine | None) -> postgresql.Machine:
    if durable_postgresql is None:
        pytest.skip("is about PostgreSQL")
    return durable_postgresql


@pytest.fixture
def durable_index(tmp_path: Path, durable_postgresql: postgresql.Machine | None) -> Iterator[Running]:
    """A live index with two workers on a database that keeps what it has committed."""
    database = durable_postgresql.cluster.create_database("faults") if durable_postgresql else None
    with packhouse.running(tmp_path / "home", database=database, workers=2) as index:
        yield index


@pytest.fixture
def token(durable_index: Running) -> str:
    return new_token(durable_index)
