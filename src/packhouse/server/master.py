"""The master process: it holds the listening sockets and sees to it that each has a worker.

A worker is forked, so that what the master has imported is shared.  It gets one socket of its own (``SO_REUSEPORT``),
which stays open here: clients that connect while a worker is replaced wait in the kernel and are not refused.  Which
worker a client comes to, chance says; ``neighbours`` evens that out where it matters.

A master can keep another process ready that takes its place: forked before all workers, it has what was imported and
the same sockets, so that not even the master's death is more than a moment's wait to a client.
"""

import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from packhouse.server.worker import BACKLOG

STEADY = 5.0
"""Seconds after which a worker counts as having started well."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 3.0
DOUBLINGS = 10
"""Of the pause, at most: after a thousand its length would be no number any more."""
STANDBY_PAUSE = 1.0
"""Seconds between two processes that shall wait to take this one's place, should they die."""
ATTEMPTS = 5
HOPELESS = 3
"""What ``run`` returns when no worker has ever stayed up."""
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

Work = Callable[[socket.socket, Callable[[], None]], None]


@dataclass(slots=True)
class Worker:
    """A process at a socket.  ``told`` is where it says that it is ready, ``replaces`` the process that then may go."""

    pid: int
    place: int
    born: float
    told: int = -1
    replaces: int = 0


def listen(host: str, port: int, number: int) -> list[socket.socket]:
    """*number* sockets that listen on one address.  Raises ``OSError``."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sockets = []
    for _ in range(number):
        listening = socket.socket(family, kind)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if number > 1:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        sockets.append(listening)
    return sockets


class Master:
    """Runs *work* in a worker at each of *sockets* until SIGTERM; SIGHUP replaces the workers, new before old.

    A worker that dies is replaced, at once when it had run for a while and after a growing pause otherwise.  Only
    while none has ever stayed up does that come to an end, because then none ever will; those that were killed from
    outside do not count, since they may have served well.  After SIGTERM workers have *drain* seconds to finish.

    With *wait_for_turn*, which is called in a process that shall take the place of this one and returns when it is
    time, one such process is kept waiting.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        work: Work,
        drain: float,
        wait_for_turn: Callable[[], None] | None = None,
    ) -> None:
        self.sockets = sockets
        self.work = work
        self.drain = drain
        self.wait_for_turn = wait_for_turn
        self.workers: dict[int, Worker] = {}
        self.due: dict[int, float] = {}
        self.doomed: dict[int, float] = {}
        self.standby = 0
        self.standby_due = 0.0
        self.failures = 0
        self.crashes = 0
        self.was_steady = False
        self.is_stopping = False
        self.status = 0
        self._signals = self._wakeup = -1

    def run(self) -> int:
        """Returns when all workers have ended: 0, or ``HOPELESS``.  In each process that has been master, once."""
        self._begin()
        while not self.is_stopping or self.workers:
            self._start_what_is_due()
            self._wait()
            self._see_who_ended()
            self._kill_the_overdue()
        return self.status

    def _begin(self) -> None:
        """No worker is there; signals are heeded from now on."""
        self.workers.clear()
        self.doomed.clear()
        self.due = dict.fromkeys(range(len(self.sockets)), 0.0)
        self.standby, self.standby_due, self.failures, self.crashes = 0, 0.0, 0, 0
        self._signals, self._wakeup = os.pipe()
        for end in (self._signals, self._wakeup):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        for signum in SIGNALS:
            signal.signal(signum, lambda _signum, _frame: None)

    # -- starting ---------------------------------------------------------------------------------------------------

    def _start_what_is_due(self) -> None:
        if self._needs_standby() and time.monotonic() >= self.standby_due:
            self._start_standby()
        now = time.monotonic()
        for place, moment in list(self.due.items()):
            if now >= moment:
                del self.due[place]
                self._start(place)

    def _start(self, place: int, replaces: int = 0) -> None:
        told, tell = os.pipe()
        pid = self._fork()
        if pid == 0:
            os.close(told)
            self._be_worker(place, tell)
        os.close(tell)
        self.workers[pid] = Worker(pid, place, time.monotonic(), told, replaces)

    def _be_worker(self, place: int, tell: int) -> None:
        """The life of a worker, from the fork to its end."""

        def live() -> None:
            for other, listening in enumerate(self.sockets):
                if other != place:
                    listening.close()
            self.work(self.sockets[place], lambda: os.close(tell))

        _succeed_or_end(live)
        os._exit(0)

    def _needs_standby(self) -> bool:
        return self.wait_for_turn is not None and not self.standby and not self.is_stopping

    def _start_standby(self) -> None:
        """Fork the process that waits to take this one's place.  There it returns as the master, once it is that."""
        self.standby_due = time.monotonic() + STANDBY_PAUSE
        try:
            self.standby = self._fork()
        except OSError:  # no room for another process: one can do without this one
            return
        if self.standby == 0 and self.wait_for_turn:
            _succeed_or_end(self.wait_for_turn)
            self._begin()

    def _fork(self) -> int:
        """As ``os.fork``.  The child gets nothing of what goes on between this process and its children, and a signal
        that comes for it at once waits until it is no second master any more.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                _succeed_or_end(self._leave_master)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return pid

    def _leave_master(self) -> None:
        """What a child has of its master's signals and pipes goes."""
        signal.set_wakeup_fd(-1)
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for descriptor in (self._signals, self._wakeup, *(worker.told for worker in self.workers.values())):
            if descriptor >= 0:
                os.close(descriptor)

    # -- waiting ----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Until a signal, a worker that is ready, or something is due."""
        ready = {worker.told: worker for worker in self.workers.values() if worker.told >= 0}
        moments = [*self.due.values(), *self.doomed.values()]
        if self._needs_standby():
            moments.append(self.standby_due)
        pause = max(0.0, min(moments) - time.monotonic()) if moments else None
        for descriptor in select.select([self._signals, *ready], [], [], pause)[0]:
            if descriptor == self._signals:
                for signum in os.read(descriptor, 512):
                    self._on_signal(signum)
            else:
                self._is_ready(ready[descriptor])

    def _is_ready(self, worker: Worker) -> None:
        """It serves, or has died: the latter is seen when it is reaped."""
        os.close(worker.told)
        worker.told = -1
        if worker.replaces and os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            self._end(worker.replaces)

    def _on_signal(self, signum: int) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT) and not self.is_stopping:
            self._stop()
        elif signum == signal.SIGHUP and not self.is_stopping:
            leaving = {worker.replaces for worker in self.workers.values()} | self.doomed.keys()
            for worker in list(self.workers.values()):
                if worker.pid not in leaving and not worker.replaces:
                    self._start(worker.place, replaces=worker.pid)

    # -- ending -----------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        self.is_stopping = True
        self.due.clear()
        self._dismiss_standby()  # before anything else: it holds the sockets, too
        for listening in self.sockets:
            listening.close()
        for pid in self.workers:
            self._end(pid)

    def _dismiss_standby(self) -> None:
        if self.standby:
            _signal(self.standby, signal.SIGKILL)
            os.waitpid(self.standby, 0)
            self.standby = 0

    def _end(self, pid: int) -> None:
        if pid in self.workers:
            self.doomed[pid] = time.monotonic() + self.drain
            _signal(pid, signal.SIGTERM)

    def _kill_the_overdue(self) -> None:
        now = time.monotonic()
        for pid, moment in list(self.doomed.items()):
            if now >= moment:
                del self.doomed[pid]
                _signal(pid, signal.SIGKILL)

    def _see_who_ended(self) -> None:
        if self.standby and os.waitpid(self.standby, os.WNOHANG)[0]:
            self.standby = 0
        for worker in list(self.workers.values()):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                del self.workers[worker.pid]
                if worker.told >= 0:
                    os.close(worker.told)
                was_told_to = self.doomed.pop(worker.pid, None) is not None
                if not was_told_to and not self.is_stopping:
                    self._replace(worker, was_killed=os.waitstatus_to_exitcode(status) == -signal.SIGKILL)

    def _replace(self, worker: Worker, *, was_killed: bool) -> None:
        """*worker* has died."""
        now = time.monotonic()
        if now - worker.born > STEADY:
            self.was_steady, self.failures, self.crashes = True, 0, 0
        else:
            self.failures += 1
            self.crashes += not was_killed
        if self.crashes >= ATTEMPTS and not self.was_steady:
            self.status = HOPELESS
            self._stop()
        elif not any(other.place == worker.place for other in self.workers.values()):
            doublings = min(self.failures, DOUBLINGS)
            pause = min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE) if self.failures > 1 else 0.0
            self.due[worker.place] = now + pause


def _succeed_or_end(step: Callable[[], None]) -> None:
    """In a child: whatever happens there, it must not run on as a second master."""
    try:
        step()
    except BaseException:  # noqa: BLE001 (SystemExit, too)
        traceback.print_exc()
        os._exit(1)


def _signal(pid: int, signum: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signum)
