"""The worker: a supervisor that starts lanes, replaces those that die, and wakes those that sleep.

It imports no Django and does nothing while all is well, so that it costs little memory and cannot be brought down by a
task.  The light queues share one process; the heavy lane exists only while it has work.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from packhouse.queue import roll
from packhouse.queue.bell import Bell

log = logging.getLogger(__name__)

TICK = 0.5
LONGEST_PAUSE = 5.0
"""Seconds before a lane that ended soon after its start is tried again: that costs a third of a core at most.

One that was at work when it was killed is missed, and replaced at once: a task that kills its lane waits for itself.
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """A process to run: its queues, with how many tasks of each it runs at a time."""

    slots: Mapping[str, int]
    keeper: bool = False
    on_demand: bool = False


LANES = (
    Lane({"purge": 2, "mail": 2, "default": 2}, keeper=True),
    Lane({"heavy": 1}, on_demand=True),
)


@dataclass(slots=True)
class Position:
    """One lane's place, and the process that fills it now."""

    lane: Lane
    arguments: list[str]
    wanted: bool
    process: "subprocess.Popen[bytes] | None" = None
    working: int = -1
    """The end of a pipe on which the process says that it is at work."""
    started: float = 0.0
    pause: float = 0.0
    not_before: float = field(default=0.0)

    def start(self) -> None:
        command = [sys.executable, "-m", "packhouse.queue.lane", "--name", roll.new_name(), *self.arguments]
        command += ["--supervisor", str(os.getpid())]  # told, not asked for: it may be gone before the lane has started
        # Few threads allocate at a time; glibc's default of eight arenas a core only costs memory.
        environment = {"DJANGO_SETTINGS_MODULE": "packhouse.settings", "MALLOC_ARENA_MAX": "2", **os.environ}
        self.working, said = os.pipe()
        try:
            command += ["--working", str(said)]
            self.process = subprocess.Popen(command, env=environment, pass_fds=[said])  # noqa: S603  # our own module
        finally:
            os.close(said)
        self.started = time.monotonic()

    def tend(self) -> None:
        """Start the process if it should run; see to it that one which died is replaced, after a pause if often."""
        status = self.process.poll() if self.process else None
        if self.process and status is not None:
            self._note_exit(status)
        if self.wanted and not self.process and time.monotonic() >= self.not_before:
            self.start()

    def end(self) -> None:
        """Ask the process to finish; unless the worker itself stops, another takes its place."""
        if self.process:
            self.process.terminate()

    def _note_exit(self, status: int) -> None:
        lasted = time.monotonic() - self.started
        was_killed_at_work = bool(os.read(self.working, 1)) and status < 0
        os.close(self.working)
        self.process = None
        self.wanted = not (self.lane.on_demand and status == 0)
        is_failing = status and lasted < 5 and not was_killed_at_work
        self.pause = min(LONGEST_PAUSE, self.pause * 2 or 1.0) if is_failing else 0.0
        self.not_before = time.monotonic() + self.pause
        if self.wanted:
            log.warning("lane %s ended with status %d after %.1f s; it is replaced", self.lane.slots, status, lasted)


def run(queues: Collection[str] | None = None, *, lease: float = 20, grace: float = 20) -> int:
    """Run the lanes of *queues* (None: all) until SIGTERM or SIGINT; returns the exit status.  SIGHUP renews the lanes.

    *lease*: seconds until the tasks of a vanished machine are taken by another.  *grace*: seconds that running tasks
    get to finish when the worker is stopped; what has not finished is given back to the queue.
    """
    bell, stops = Bell(), False
    positions = _positions(queues, lease, grace)

    def on_stop(*_: object) -> None:
        nonlocal stops
        stops = True
        bell.ring()

    def on_summons(*_: object) -> None:
        for position in positions:
            position.wanted = True
        bell.ring()

    def on_reload(*_: object) -> None:
        for position in positions:
            position.end()

    signal.signal(signal.SIGUSR1, on_summons)
    signal.signal(signal.SIGHUP, on_reload)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_stop)
    while not stops:
        for position in positions:
            position.tend()
        bell.wait(TICK)
    return _stop(positions, grace + 5)


def _positions(queues: Collection[str] | None, lease: float, grace: float) -> list[Position]:
    """One for each lane that has any of *queues*.  Without a lane of light queues somebody still keeps the house."""
    positions: list[Position] = []
    sleepers = [queue for lane in LANES if lane.on_demand for queue in lane.slots if not queues or queue in queues]
    for lane in LANES:
        slots = {queue: count for queue, count in lane.slots.items() if not queues or queue in queues}
        if not slots:
            continue
        arguments = ["--slots", ",".join(f"{queue}={count}" for queue, count in slots.items())]
        arguments += ["--lease", str(lease), "--grace", str(grace)]
        on_demand = lane.on_demand and bool(positions)
        if on_demand:
            arguments.append("--on-demand")
        elif not positions:
            arguments.append("--keeper")
            arguments += ["--summon", ",".join(sleepers)] if sleepers and not lane.on_demand else []
        positions.append(Position(lane, arguments, wanted=not on_demand))
    return positions


def _stop(positions: list[Position], patience: float) -> int:
    for position in positions:
        position.end()
    processes = [position.process for position in positions if position.process]
    until = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("a lane did not stop within %.0f s and is killed", patience)
            process.kill()
            process.wait()
    return 0


def main() -> None:
    """``python -m packhouse.queue.worker``: what ``packhouse work`` runs, without the rest of the command line."""
    parser = argparse.ArgumentParser(prog="packhouse.queue.worker")
    parser.add_argument("--queues", type=lambda text: text.split(","), help="comma-separated; all of them by default")
    parser.add_argument("--lease", type=float, default=20)
    parser.add_argument("--grace", type=float, default=20)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    sys.exit(run(options.queues, lease=options.lease, grace=options.grace))


if __name__ == "__main__":
    main()
