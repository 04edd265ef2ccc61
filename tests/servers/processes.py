"""Server processes: a free port, a start that waits until the server answers, a stop that always ends it."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

START_SECONDS = 240
"""A limit for what hangs, not for what is slow: the machine may be busy with other things."""
STOP_SECONDS = 120


@dataclass(slots=True)
class Server:
    """A running server process; what it prints goes to the file ``log``."""

    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end with *sign*, insist after two minutes, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def printed(self) -> str:
        return self.log.read_text(errors="replace")


def start(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: Path,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    last_signal: str = "TERM",
) -> Server:
    """Run *command* (as *user*, when root) and return once ``ready()`` is true.

    RuntimeError with what the server printed if it ends or does not answer in four minutes.  Where ``setpriv`` is at
    hand, the server gets *last_signal* if the tests are killed, so that none is left behind.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*_setpriv(user, last_signal), *command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=env
        )
    server = Server(process, log)
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            server.stop()
            raise RuntimeError(f"{command[0]} did not start:\n{server.printed()[-4000:]}")
        time.sleep(0.02)
    return server


def _setpriv(user: str | None, last_signal: str) -> list[str]:
    if not (setpriv := shutil.which("setpriv")):
        return []
    identity = [f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups"] if user else []
    return [setpriv, f"--pdeathsig={last_signal}", *identity, "--"]


def descendants(pid: int) -> dict[int, str]:
    """The processes below *pid* with their command lines (Linux)."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found: dict[int, str] = {}
    news = {pid}
    while news:
        news = {child for child, parent in parents.items() if parent in news}
        found |= {child: command(child) for child in news}
    return found


def processor_seconds(pid: int) -> float:
    """The processor time that *pid* and all below it have used: what work costs, however busy the machine is."""
    ticks = 0
    for process in (pid, *descendants(pid)):
        try:
            ticks += sum(map(int, Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:15]))
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def command(pid: int) -> str:
    """The command line of a process; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}


def program(name: str, *, package: str, folders: Sequence[Path] = ()) -> str:
    """The path of a server program.  Where it is missing: a visible skip for a person, a failure in CI."""
    search = os.pathsep.join([*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin"])
    if found := shutil.which(name, path=search):
        return found
    message = f"{name} is not installed (Debian: apt-get install {package})"
    if in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
