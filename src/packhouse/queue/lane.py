"""A lane: one process that runs the tasks of some queues, each queue in threads of its own.

The main thread does all the bookkeeping (claims, leases, time limits, the clock); the others run tasks.  A thread
cannot be killed, so a task that overstays its time limit costs its process: the neighbours get a moment to finish, what
is left is given back, and the supervisor starts the lane again.  Should the task keep the whole interpreter busy, a
timer in C, which needs no interpreter, ends the process; then the next one lets go of what this one held.
"""

import argparse
import contextlib
import faulthandler
import logging
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import django
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections

django.setup()

from packhouse.base import clock, logs, metrics  # noqa: E402
from packhouse.queue import Later, backend, leases, periodic, queries, roll  # noqa: E402
from packhouse.queue.bell import Bell  # noqa: E402
from packhouse.queue.models import QueuedTask  # noqa: E402

log = logging.getLogger(__name__)

POLL = 0.25
FIRE_AT_LEAST_EVERY = timedelta(seconds=30)
NEIGHBOURS_GRACE = 2.0
INTERPRETER_GRACE = 3.0
IDLE_EXIT = 60.0
OVERDUE = 75  # exit status: a task overstayed its limit


@dataclass(slots=True)
class Run:
    """A task that this process is running; *ends* is when its time is up (monotonic), None once it has returned."""

    row: QueuedTask
    ends: float | None


class Runs:
    """What is running, safe to use from every thread, with the timer that ends an unresponsive process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[int, Run] = {}

    def begin(self, row: QueuedTask) -> None:
        with self._lock:
            self._runs[row.pk] = Run(row, time.monotonic() + row.time_limit)
            self._arm()

    def returned(self, row: QueuedTask) -> None:
        with self._lock:
            self._runs[row.pk].ends = None
            self._arm()

    def end(self, row: QueuedTask) -> None:
        with self._lock:
            del self._runs[row.pk]

    def rows(self) -> list[QueuedTask]:
        with self._lock:
            return [run.row for run in self._runs.values()]

    def overdue(self) -> list[QueuedTask]:
        now = time.monotonic()
        with self._lock:
            return [run.row for run in self._runs.values() if run.ends is not None and run.ends <= now]

    def _arm(self) -> None:
        ends = [run.ends for run in self._runs.values() if run.ends is not None]
        if ends:
            left = max(0.0, min(ends) - time.monotonic())
            faulthandler.dump_traceback_later(left + INTERPRETER_GRACE, exit=True, file=2)
        else:
            faulthandler.cancel_dump_traceback_later()


class Lane:
    """Runs tasks of the queues in *slots* (queue → how many at a time) until it is told to stop."""

    def __init__(
        self,
        name: str,
        slots: Mapping[str, int],
        *,
        lease: float = 20,
        grace: float = 20,
        summon: Sequence[str] = (),
        supervisor: int | None = None,
    ) -> None:
        self.name = name
        self.slots = slots
        self.lease = timedelta(seconds=lease)
        self.grace = grace
        self.summon = summon
        self.is_stopping = False
        self.bell = Bell()
        self.runs = Runs()
        self._supervisor = supervisor or os.getppid()
        self._pools = {queue: ThreadPoolExecutor(slots[queue], queue) for queue in slots}
        self._last_work = time.monotonic()
        self._chores_at = 0.0
        self._fire_at: datetime = clock.now()

    def run(self, *, keeper: bool = False, on_demand: bool = False) -> int:
        """Work; returns the exit status.  A *keeper* also tends the clock, lost tasks and lanes *on_demand*."""
        while not self.is_stopping:
            with self._surviving_database_trouble():
                self._claim()
                self._do_chores(keeper=keeper)
            idle = time.monotonic() - self._last_work
            if self.runs.overdue() or self._is_orphan() or (on_demand and idle > IDLE_EXIT):
                break
            self.bell.wait(POLL)
        return self._drain()

    def stop(self, *_: object) -> None:
        """Take no more tasks; also a signal handler."""
        self.is_stopping = True
        self.bell.ring()

    def _is_orphan(self) -> bool:
        return os.getppid() != self._supervisor

    def _claim(self) -> None:
        busy = [row.queue for row in self.runs.rows()]
        free = {queue: slots - busy.count(queue) for queue, slots in self.slots.items()}
        due = leases.due_queues([*self.summon, *(queue for queue in free if free[queue])])
        for queue in due & self.slots.keys():
            for row in leases.claim(queue, name=self.name, lease=self.lease, limit=free[queue]):
                self.runs.begin(row)
                self._pools[queue].submit(self._execute, row)
        if due & set(self.summon) and not self._is_orphan():
            os.kill(self._supervisor, signal.SIGUSR1)  # the supervisor starts the lane that sleeps
        if busy or self.runs.rows():
            self._last_work = time.monotonic()

    def _do_chores(self, *, keeper: bool) -> None:
        """What needs doing now and then: renew leases and, as the *keeper*, look after the rest of the house."""
        if time.monotonic() >= self._chores_at:
            self._chores_at = time.monotonic() + min(5.0, self.lease.total_seconds() / 4)
            if rows := self.runs.rows():
                leases.renew(rows, name=self.name, lease=self.lease)
            if keeper:
                leases.recover_expired()
                leases.release_held_back()
                for age in queries.queue_ages():
                    metrics.level("packhouse_queue_oldest_seconds", age.queue, value=age.oldest_seconds)
                    metrics.level("packhouse_queue_dead", age.queue, value=age.dead)
        if keeper and not clock.now() < self._fire_at <= clock.now() + FIRE_AT_LEAST_EVERY:  # due, or the clock was set
            upcoming = periodic.fire_due(periodic.scheduled())
            self._fire_at = min(filter(None, (upcoming, clock.now() + FIRE_AT_LEAST_EVERY)))

    def _execute(self, row: QueuedTask) -> None:
        """Run one task, in a thread of its queue."""
        try:
            self._settle(row, self._failure_of(row))
        except Exception:
            log.exception("what became of task %s cannot be noted", row)
        finally:
            # Not noted after all?  Then nobody renews the lease any more and the task runs again.  One that never ended
            # here would keep its place, and this process from stopping.
            self.runs.end(row)
            self.bell.ring()
        _release_connection()

    def _failure_of(self, row: QueuedTask) -> BaseException | None:
        """What the task raises, whatever that is; None when all went well."""
        try:
            close_old_connections()
            backend.call(row)
        except BaseException as raised:  # noqa: BLE001  # is the task's own failure: nobody interrupts this thread
            return raised
        finally:
            self.runs.returned(row)
        return None

    def _settle(self, row: QueuedTask, failure: BaseException | None) -> None:
        if not isinstance(failure, Later):
            metrics.count("packhouse_tasks", row.name, "failed" if failure else "done")
        for _ in range(5):
            with self._surviving_database_trouble():
                leases.settle(row, failure)
                break

    def _drain(self) -> int:
        """Let running tasks finish, give back those that do not."""
        until = time.monotonic() + (NEIGHBOURS_GRACE if self.runs.overdue() else self.grace)
        while (rows := self.runs.rows()) and len(rows) > len(self.runs.overdue()) and time.monotonic() < until:
            with self._surviving_database_trouble():
                self._do_chores(keeper=False)
            self.bell.wait(POLL)
        overdue = self.runs.overdue()
        with self._surviving_database_trouble():
            for row in self.runs.rows():
                if row in overdue:
                    leases.lose(row)
                else:
                    leases.give_back(row)
        return OVERDUE if overdue else 0

    @contextlib.contextmanager
    def _surviving_database_trouble(self) -> Iterator[None]:
        """The database may be restarted under a worker; it says so and tries again."""
        try:
            yield
        except (DatabaseError, InterfaceError) as error:
            log.error("the queue cannot reach its database: %s", error)  # noqa: TRY400  # again every second
            with contextlib.suppress(DatabaseError, InterfaceError):
                connection.close()
            if not self.is_stopping:
                time.sleep(1)


def _release_connection() -> None:
    """SQLite keeps pages in memory for each connection and opens quickly; PostgreSQL is the other way round."""
    if connection.vendor == "sqlite":
        connections.close_all()
    else:
        close_old_connections()


def _slots(text: str) -> dict[str, int]:
    return {queue: int(count) for queue, _, count in (item.partition("=") for item in text.split(","))}


def main() -> None:
    """The process that the supervisor starts.  It leaves at once when it is done: stuck threads cannot be joined."""
    parser = argparse.ArgumentParser(prog="packhouse.queue.lane")
    parser.add_argument("--name", required=True)
    parser.add_argument("--slots", type=_slots, required=True, help="default=2,mail=1")
    parser.add_argument("--summon", type=lambda text: text.split(","), default=[])
    parser.add_argument("--lease", type=float, default=20)
    parser.add_argument("--grace", type=float, default=20)
    parser.add_argument("--supervisor", type=int, help="the process without which this one stops; its parent")
    parser.add_argument("--working", type=int, help="a descriptor to say on that it is at work; closed then")
    parser.add_argument("--keeper", action="store_true")
    parser.add_argument("--on-demand", action="store_true")
    options = parser.parse_args()
    logs.configure(settings.PACKHOUSE.log_format, settings.PACKHOUSE.log_level, settings.PACKHOUSE.token_prefix)
    lane = Lane(
        options.name,
        options.slots,
        lease=options.lease,
        grace=options.grace,
        summon=options.summon,
        supervisor=options.supervisor,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lane.stop)
    metrics.start("tasks")
    home = settings.PACKHOUSE.home
    enrolled = roll.enrol(home, options.name)
    for name in roll.departed(home):
        leases.recover_from(name)
    if options.working is not None:
        os.write(options.working, b"!")
        os.close(options.working)
    status = lane.run(keeper=options.keeper, on_demand=options.on_demand)
    enrolled.close()
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
