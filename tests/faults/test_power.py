"""The power is cut: whatever had not reached the disk is gone, and what was acknowledged had reached it.

The index, and PostgreSQL's data, lie on an ext4 file system in a file.  Its shutdown (``EXT4_IOC_SHUTDOWN``) stops all
writing at once and forgets what memory alone knew; mounted again, it is what a machine finds that comes back.
"""

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import check
from tests.faults.publishing import SECRETS, Load, Told, changes, new_token, new_user, retry_all, soon
from tests.servers import packhouse, postgresql
from tests.servers.packhouse import Running
from tests.servers.processes import descendants

SHUTDOWN = 0x8004587D
"""``EXT4_IOC_SHUTDOWN``, ``_IOR('X', 125, __u32)`` in the kernel's ``fs/ext4/ext4.h``."""
WITHOUT_FLUSHING = struct.pack("I", 2)
ACKNOWLEDGED = 20
"""Uploads before each cut, at least."""
ROOM = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system of its own at ``folder``, kept in the file ``image``."""

    folder: Path
    image: Path

    def mount(self) -> bool:
        return self._run("mount", "-o", "loop", self.image, self.folder)

    def cut(self) -> None:
        """From now on nothing is written any more."""
        handle = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(handle, SHUTDOWN, WITHOUT_FLUSHING)
        os.close(handle)

    def come_back(self) -> None:
        """What memory knew is forgotten; what the disk has is there again.  Nobody may have a file open."""
        assert soon(lambda: self._run("umount", self.folder), 60)
        assert self.mount()

    def _run(self, *command: str | Path) -> bool:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextmanager
def disk() -> Iterator[Disk]:
    """A new one, which everybody may enter; a visible skip where this user may not mount one."""
    place = Path(tempfile.mkdtemp(prefix="packhouse-power-"))
    made = Disk(place / "disk", place / "image")
    try:
        place.chmod(0o755)
        made.folder.mkdir()
        with made.image.open("wb") as file:
            file.truncate(ROOM)
        subprocess.run(["mkfs.ext4", "-q", made.image], check=True)
        if os.geteuid() or not made.mount():
            pytest.skip("cannot mount a file system here (root only)")
        try:
            yield made
        finally:
            subprocess.run(["umount", "-l", str(made.folder)], check=True)
    finally:
        shutil.rmtree(place)


@dataclass(slots=True)
class Machines:
    """The index and its database, if that is PostgreSQL, both on one disk, and gone together."""

    disk: Disk
    index: Running
    database: postgresql.Machine | None

    def lose_power(self) -> None:
        self.disk.cut()
        time.sleep(0.3)  # an upload that is acknowledged now has not reached the disk
        pids = [self.index.process.pid, *descendants(self.index.process.pid)]
        if self.database:
            pids += [self.database.pid, *descendants(self.database.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.index.process.wait()

    def come_back(self) -> float:
        """Everything starts as a machine starts it; how many seconds the index took."""
        self.disk.come_back()
        if self.database:
            self.database.stop(signal.SIGKILL)
            self.database.start()
        began, port = time.monotonic(), int(self.index.url.rpartition(":")[2])
        self.index = packhouse.start_packhouse(self.index.home, database=self.index.database, workers=2, port=port)
        return time.monotonic() - began


@pytest.fixture
def machines(request: pytest.FixtureRequest) -> Iterator[Machines]:
    with ExitStack() as stack:
        place = stack.enter_context(disk())
        database = url = None
        if request.config.getoption("--database") == "postgresql":
            database = stack.enter_context(postgresql.machine(durable=True, within=place.folder))
            url = database.cluster.create_database("power")
            os.sync()  # ``initdb`` did not wait for the disk
        made = Machines(place, packhouse.start_packhouse(place.folder / "home", database=url, workers=2), database)
        try:
            yield made
        finally:
            made.index.stop()


def _is_busy(load: Load, changed: Counter[str]) -> bool:
    return len(load.told.acknowledged) >= ACKNOWLEDGED and changed.total() > 0


def test_nothing_that_was_acknowledged_is_lost_when_the_power_is_cut(
    machines: Machines, rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    """The first cut comes moments after the first start of all."""
    chance, told, returns, made = random.Random("power"), Told(), list[float](), 0
    token = new_token(machines.index)
    kept = {path.name: path.read_bytes() for path in (machines.index.home / SECRETS).iterdir()}
    new_user(machines.index, "grace")
    for number in rounds(2, 30):
        index = machines.index
        with Load([index.url], token, first=1000 * number) as load, changes(index, "fault", pause=0.1) as changed:
            assert soon(lambda load=load, changed=changed: _is_busy(load, changed), 240), load.told.answers
            time.sleep(chance.uniform(0.0, 0.5))
            machines.lose_power()
        returns.append(machines.come_back())
        made += changed.total()
        told.acknowledged |= load.told.acknowledged
        told.unknown |= load.told.unknown
        told.answers += load.told.answers
    for name, content in kept.items():  # the tests wait for no disk
        (machines.index.home / SECRETS / name).write_bytes(content)
    index, acknowledged = machines.index, len(told.acknowledged)
    assert retry_all(index.url, token, told) == []
    found = check(index.url, index.home, database=index.database, told=told)
    assert found.violations == []
    assert {answer[:3] for answer in told.answers} <= {"200", "503", "los"}, told.answers
    figures(
        cuts=len(returns),
        acknowledged=acknowledged,
        answers=told.answers,
        changes=made,
        slowest_start=round(max(returns), 1),
        looked=found.looked,
    )
