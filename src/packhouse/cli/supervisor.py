"""Keeps the processes of ``packhouse serve`` running, and ends them in good order.

It is small on purpose: it imports neither Django nor the server, so that nothing in it can fail with them.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final, TextIO

from packhouse.base import running
from packhouse.cli.standby import Adopted, Standby

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
DOUBLINGS: Final = 10
"""Of the pause, at most: after a thousand its length would be no number any more."""
LONGEST_AGAIN: Final = 0.5
"""Of a process that has stayed up before: what ends it comes from outside, and it is missed."""
STEADY: Final = 10.0
"""Seconds after which a process counts as having started well."""
ATTEMPTS: Final = 5
HOPELESS: Final = 3
"""Exit status of a process that need not be started again."""
NOBODY_YET: Final = 10
"""What the server says once it has prepared the database, when there is no user in it."""
RESTART: Final = -1
"""What ``run`` returns when the whole command shall begin anew, with the configuration as it is now."""
GRACE: Final = 10.0
"""Seconds beyond ``drain_seconds`` before what still runs is killed."""


@dataclass(slots=True)
class Child:
    """A process that shall run.  ``essential``: without it there is no point in running at all.

    ``failures`` counts how often in a row it did not stay up, and ``crashes`` how often it was not for SIGKILL, which
    says nothing about how it was set up.  One that has once been steady is started again for ever: what ends it since
    then is not how it was set up, either.  With ``standby`` it keeps another process that has imported everything and
    takes its place when it is killed; when it ends by itself it is begun from nothing, since what the other has
    inherited may be the reason.
    """

    name: str
    command: Sequence[str]
    essential: bool = False
    standby: Standby | None = None
    process: subprocess.Popen[bytes] | Adopted | None = None
    started: float = 0.0
    failures: int = 0
    crashes: int = 0
    was_steady: bool = False
    was_killed: bool = False
    due: float = field(default_factory=time.monotonic)

    def start(self, *more: str, keep: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        """Starts the process in a group of its own: what the terminal sends goes to the supervisor alone.

        *more* arguments, and the descriptors to *keep* open in it, are for this once.  Raises ``OSError`` when the
        machine has no room for another process; the next try is then put off.
        """
        self.started = time.monotonic()
        with ExitStack() as ends:
            if self.standby:
                line = ends.enter_context(self.standby.renew())
                more, keep = (*more, "--standby", str(line.fileno())), (*keep, line.fileno())
            command = [*self.command, *more]
            try:
                process = subprocess.Popen(command, process_group=0, pass_fds=keep)  # noqa: S603 (our own command)
            except OSError:
                self._put_off(self.started, crashed=True)
                raise
        self.process = process
        return process

    def start_again(self) -> None:
        """The same, or lets a process that stands by take the place of one that was killed."""
        if self.standby and self.was_killed and (successor := self.standby.take_over()):
            self.started = time.monotonic()
            self.process = successor
            tell(f"{self.name}: process {successor.pid}, which stood by, takes its place")
        else:
            self.start()

    def ended(self) -> int | None:
        """The exit status of a process that has just ended; the next start is then put off, longer each time."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        now = time.monotonic()
        self.signal(signal.SIGKILL)  # what it may have left in its group
        self.process = None
        self.was_killed = status < 0
        self._put_off(now, crashed=status != -signal.SIGKILL)
        return status

    def _put_off(self, now: float, *, crashed: bool) -> None:
        if now - self.started > STEADY:
            self.was_steady, self.failures, self.crashes = True, 0, 0
        else:
            self.failures += 1
            self.crashes += crashed
        longest = LONGEST_AGAIN if self.was_steady else LONGEST_PAUSE
        doublings = min(self.failures - 1, DOUBLINGS)
        self.due = now + (min(FIRST_PAUSE * 2**doublings, longest) if self.failures else 0)

    def signal(self, signum: int) -> None:
        if self.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if signum == signal.SIGKILL:
                os.killpg(self.process.pid, signum)
            else:
                os.kill(self.process.pid, signum)


class Supervisor:
    """Runs *children* until told to stop.

    SIGTERM and SIGINT: readiness fails, after ``notice`` seconds (SIGTERM only) the children are told to finish, after
    ``drain`` seconds they are killed; a second signal kills them at once.  SIGHUP goes to the children.  SIGUSR1 ends
    them as SIGTERM does, and ``run`` returns ``RESTART``, unless one of those two comes after it.
    """

    def __init__(self, children: Sequence[Child], *, notice: float, drain: float) -> None:
        self.children = children
        self.notice = notice
        self.drain = drain
        self.stop_at: float | None = None
        self.kill_at: float | None = None
        self.status = 0
        self._signals = -1

    def heed_signals(self) -> None:
        """From now on signals wait for ``first_word`` and ``run``."""
        self._signals, writer = os.pipe()
        for end in (self._signals, writer):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(writer)
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD):
            signal.signal(signum, lambda _signum, _frame: None)

    def first_word(self, child: Child, descriptor: int) -> bytes:
        """What *child* says on *descriptor* once it is prepared; nothing when it ends before, or is told to."""
        while descriptor not in select.select([descriptor, self._signals], [], [])[0]:
            for number in os.read(self._signals, 512):
                self._on_signal(number)
            if self.is_stopping:
                child.signal(signal.SIGTERM)
        return os.read(descriptor, 16)

    def run(self) -> int:
        """Returns the exit status when everything has ended."""
        self._see_who_ended()  # of those that were started before
        while not self._is_over():
            self._start_what_is_due()
            for number in self._wait():
                self._on_signal(number)
            self._see_who_ended()
            self._go_on_stopping()
        for child in self.children:
            if child.standby:
                child.standby.close()
        if self.status == RESTART:
            self._heed_late_signals()
        return self.status

    @property
    def is_stopping(self) -> bool:
        return self.stop_at is not None

    def _is_over(self) -> bool:
        return self.is_stopping and all(child.process is None for child in self.children)

    def _start_what_is_due(self) -> None:
        for child in self.children:
            if child.process is None and not self.is_stopping and time.monotonic() >= child.due:
                try:
                    child.start_again()
                except OSError as error:
                    self._miss(child, f"cannot be started: {error.strerror}")

    def _wait(self) -> bytes:
        """The signals that have come, once some have or something is due."""
        moment = self._next_moment()
        pause = None if moment is None else max(0.0, moment - time.monotonic())
        if not select.select([self._signals], [], [], pause)[0]:
            return b""
        return os.read(self._signals, 512)

    def _heed_late_signals(self) -> None:
        """Who tells a command to end that is about to begin anew is heard, whenever that is."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, signal.SIG_DFL)  # from here on it ends the process
        with suppress(BlockingIOError):
            for number in os.read(self._signals, 512):
                self._on_signal(number)

    def _next_moment(self) -> float | None:
        """When there is something to do even if nothing happens."""
        if self.is_stopping:
            return self.stop_at if self.kill_at is None else self.kill_at
        return min((child.due for child in self.children if child.process is None), default=None)

    def _on_signal(self, signum: int) -> None:
        if signum == signal.SIGHUP:
            for child in self.children:
                child.signal(signal.SIGHUP)
        elif signum == signal.SIGUSR1 and not self.is_stopping:
            self.status = RESTART
            self._stop(after=self.notice)
        elif signum in {signal.SIGTERM, signal.SIGINT}:
            if self.status == RESTART:
                self.status = 0  # nothing begins anew, but what is under way still has its time
            elif self.is_stopping:
                self._kill()
            else:
                self._stop(after=self.notice if signum == signal.SIGTERM else 0)

    def _stop(self, *, after: float) -> None:
        running.start_draining()
        self.stop_at = time.monotonic() + after

    def _go_on_stopping(self) -> None:
        now = time.monotonic()
        if self.stop_at is not None and self.kill_at is None and now >= self.stop_at:
            self.kill_at = now + self.drain + GRACE
            for child in self.children:
                child.signal(signal.SIGTERM)
        elif self.kill_at is not None and now >= self.kill_at:
            self._kill()

    def _kill(self) -> None:
        self.kill_at = time.monotonic() + GRACE
        for child in self.children:
            child.signal(signal.SIGKILL)

    def _see_who_ended(self) -> None:
        for child in self.children:
            status = child.ended()
            if status is not None and not self.is_stopping:
                self._miss(child, f"ended with status {status}", hopeless=status == HOPELESS)
        self._bury_orphans()

    def _bury_orphans(self) -> None:
        """What its children left behind when they died is this process's to wait for, as it is process 1's."""
        own = {child.process.pid for child in self.children if child.process}
        with suppress(ChildProcessError):  # there is none at all
            while (gone := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and gone.si_pid not in own:
                os.waitpid(gone.si_pid, 0)

    def _miss(self, child: Child, what: str, *, hopeless: bool = False) -> None:
        """*child* does not run, though it should; without one that never stayed up there is no point in going on."""
        tell(f"{child.name} {what}")
        if child.essential and not child.was_steady and (hopeless or child.crashes >= ATTEMPTS):
            tell(f"{child.name} does not stay up; giving up")
            self.status = 1
            self._stop(after=0)


def tell(message: str) -> None:
    """A line for the operator."""
    put(f"packhouse: {message}", sys.stderr)


def put(line: str, stream: TextIO) -> None:
    """Write *line* at once.  Where the disk of the log is full it is lost, and that stops nothing."""
    with suppress(OSError):
        os.write(stream.fileno(), f"{line}\n".encode(errors="backslashreplace"))


def own_command(module: str, *arguments: str) -> list[str]:
    """The command that runs *module* with this very interpreter."""
    return [sys.executable, "-m", module, *arguments]
