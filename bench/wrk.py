"""Load by wrk, on the core that the server does not use."""

import contextlib
import re
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second, latencies in milliseconds, how many answers were not what was asked for, and the microseconds
    of processor time that the server took for each request.
    """

    rate: float
    p50: float
    p99: float
    errors: int
    cpu: float = 0.0


def run(
    url: str, server: int = 0, *, connections: int, seconds: float, headers: dict[str, str], script: Path | None = None
) -> Result:
    """Ask for *url*; processor time is that of the process *server* and of those below it."""
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if script is not None:
        command += ["-s", str(script)]
    before = processor_time(server) if server else 0.0
    printed = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    return _parsed(printed, processor_time(server) - before if server else 0.0)


def processor_time(parent: int) -> float:
    """Microseconds that *parent* and all processes below it have run so far."""
    return sum(_ran(task) for pid in family(parent) for task in Path(f"/proc/{pid}/task").glob("*")) / 1000


def _ran(task: Path) -> int:
    with contextlib.suppress(OSError):
        return int((task / "schedstat").read_text().split()[0])
    return 0


def family(parent: int) -> list[int]:
    """A process and all below it."""
    found = [parent]
    for pid in found:
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += [int(child) for child in children.read_text().split()]
    return found


def _parsed(printed: str, ran: float) -> Result:
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    socket = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, socket.groups())) if socket else 0
    answered = int(re.search(r"(\d+) requests in", printed)[1])
    return Result(rate, _latency(printed, "50"), _latency(printed, "99"), errors, ran / max(answered, 1))


def _latency(printed: str, percentile: str) -> float:
    found = re.search(rf"^\s+{percentile}%\s+([\d.]+)(us|ms|s)", printed, re.MULTILINE)
    return float(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians over the rounds of ours and of nginx, and the medians of the ratios round by round: of requests a second,
    and of processor time for each (where other programs run, the latter is the one to trust).
    """

    ours: Result
    nginx: Result
    ratio: float
    cpu_ratio: float


def compare(ours: Callable[[], Result], nginx: Callable[[], Result], rounds: int) -> Comparison:
    """Measure both in turn, *rounds* times, so that what else the machine does hits both alike."""
    pairs = [(ours(), nginx()) for _ in range(rounds)]
    return Comparison(
        median([pair[0] for pair in pairs]),
        median([pair[1] for pair in pairs]),
        statistics.median(mine.rate / max(theirs.rate, 0.01) for mine, theirs in pairs),
        statistics.median(theirs.cpu / mine.cpu for mine, theirs in pairs),
    )


def median(results: list[Result]) -> Result:
    return Result(
        statistics.median(result.rate for result in results),
        statistics.median(result.p50 for result in results),
        statistics.median(result.p99 for result in results),
        sum(result.errors for result in results),
        statistics.median(result.cpu for result in results),
    )
