"""The server's clock is stepped while it runs: uploads and reads go on, serials and tasks do not care.

What was queued while the clock was ahead is done, not put off until then (the invariant checker waits for it); what
runs by the clock goes on by the right one; a token is over by the clock that is, and is not refused where that clock
has been put back since it was made.  What a token that ended in the middle of its upload left in the store is swept.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import check, stored
from tests.faults.publishing import Load, Told, changes, new_token, new_upload, new_user, publish, retry_all, send, soon
from tests.servers import packhouse, processes

pytestmark = pytest.mark.usefixtures("on_one_database")

LIBRARY = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
STEPS = ["+300", "-300", "+1d", "-1d", "-3600", "+13d", "+0"]
"""Offsets from the true time; between two of them the clock jumps."""


@pytest.fixture
def clock(tmp_path: Path) -> tuple[dict[str, str], Callable[[str], object]]:
    """What a process needs in its environment for its clock to be ours, and how to set it."""
    if not LIBRARY:
        message = "libfaketime is not installed (Debian: apt-get install libfaketime)"
        pytest.fail(message) if processes.in_ci() else pytest.skip(message)
    setting = tmp_path / "clock"
    setting.write_text("+0\n")
    env = {
        "LD_PRELOAD": str(LIBRARY[0]),
        "FAKETIME_TIMESTAMP_FILE": str(setting),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return env, lambda offset: setting.write_text(f"{offset}\n")


def test_steps_of_the_clock_harm_no_upload_no_read_and_no_serial(
    tmp_path: Path,
    live_database: str | None,
    clock: tuple[dict[str, str], Callable[[str], object]],
    often: Callable[[int, int], int],
    figures: Figures,
) -> None:
    env, step_to = clock
    steps = STEPS * often(1, 10)
    with packhouse.running(tmp_path / "home", database=live_database, workers=2, env=env) as index:
        token, told = new_token(index), Told()
        assert publish(index.url, token, new_upload(0), told) == "200"
        new_user(index, "grace")
        mayfly = index.run_cli("token", "create", "--user", "ada", "--description", "a week", "--expires", "7").stdout
        with (
            Load([index.url], token, clients=4, largest=20_000, first=100) as load,
            changes(index, "fault", env=env) as changed,
        ):
            ended = set()
            for number, step in enumerate(steps):
                step_to(step)
                time.sleep(1.3)
                upload, right = new_upload(90_000 + number), 403 if step == "+13d" else 200
                ended |= {upload.filename} if right == 403 else set()
                ask = partial(send, index.url, mayfly.strip(), upload.body())
                assert soon(lambda ask=ask, right=right: ask()[0] == right, 240), step  # processes look once a second
        assert changed.total() > 0
        assert set(load.told.answers) == {"200"}
        assert retry_all(index.url, token, load.told) == []
        found = check(index.url, index.home, database=index.database, told=load.told)
        assert found.violations == []
        assert found.unlisted <= ended
        make_old(index.home / "files")
        index.run_cli("reconcile")
        assert stored(index.home) == set(found.listed)
        swept = len(found.unlisted)
        figures(steps=len(steps), answers=load.told.answers, changes=changed, swept=swept, looked=found.looked)


def make_old(store: Path) -> None:
    """Let two hours pass for all that lies in *store*."""
    then = time.time() - 7200
    for path in store.rglob("*"):
        os.utime(path, (then, then))
