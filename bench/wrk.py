"""Load by wrk, on the core that the server does not use."""

import re
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True, slots=True)
class Result:
    """Requests a second, latencies in milliseconds, and how many answers were not what was asked for."""

    rate: float
    p50: float
    p99: float
    errors: int


def run(url: str, *, connections: int, seconds: float, headers: dict[str, str], script: Path | None = None) -> Result:
    command = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if script is not None:
        command += ["-s", str(script)]
    printed = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    return _parsed(printed)


def _parsed(printed: str) -> Result:
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    socket = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", printed)
    errors = int(bad[1]) if bad else 0
    errors += sum(map(int, socket.groups())) if socket else 0
    return Result(rate, _latency(printed, "50"), _latency(printed, "99"), errors)


def _latency(printed: str, percentile: str) -> float:
    found = re.search(rf"^\s+{percentile}%\s+([\d.]+)(us|ms|s)", printed, re.MULTILINE)
    return float(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Medians over the rounds of ours and of nginx, and the median of the ratios round by round."""

    ours: Result
    nginx: Result
    ratio: float


def compare(ours: Callable[[], Result], nginx: Callable[[], Result], rounds: int) -> Comparison:
    """Measure both in turn, *rounds* times, so that what else the machine does hits both alike."""
    pairs = [(ours(), nginx()) for _ in range(rounds)]
    return Comparison(
        _median([pair[0] for pair in pairs]),
        _median([pair[1] for pair in pairs]),
        statistics.median(mine.rate / theirs.rate for mine, theirs in pairs),
    )


def _median(results: list[Result]) -> Result:
    return Result(
        statistics.median(result.rate for result in results),
        statistics.median(result.p50 for result in results),
        statistics.median(result.p99 for result in results),
        sum(result.errors for result in results),
    )
