"""The report: docs/reference/performance.md."""

import argparse
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import wrk
from bench.cold import Cold
from bench.growth import Growth
from bench.load import Loaded
from bench.uploads import Uploads

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"


@dataclass(slots=True)
class Result:
    """All figures of one database."""

    database: str
    loaded: Loaded
    ready_seconds: float = 0.0
    memory: int = 0
    rows: list[tuple[str, int, float, wrk.Comparison]] = field(default_factory=list)
    uploads: dict[str, Uploads] = field(default_factory=dict)
    pages: list[tuple[int, wrk.Result]] = field(default_factory=list)
    cold: Cold | None = None
    growth: list[Growth] = field(default_factory=list)


def write(results: list[Result], options: argparse.Namespace) -> None:
    command = f"python -m bench --projects {options.projects} --rounds {options.rounds} --seconds {options.seconds:g}"
    lines = [
        "# Performance",
        "",
        "Measured by `make bench` against nginx serving the same bytes in the same run: one worker each, pinned to the",
        "same core, wrk on the other; medians. nginx is configured as Debian ships it, without `open_file_cache`.",
        "*Ratio* compares requests a second; *µs* is the processor time of the server for one request, ours and",
        "nginx's, and *by time* compares that. Where the machine has other work at the same time, rates of both suffer",
        "and the last column is the one to trust. A row whose ratio is below *at least* misses its target.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {_processor()}, {os.cpu_count()} cores",
        f"- Load of the machine (one, five, fifteen minutes): {', '.join(f'{load:.0f}' for load in os.getloadavg())}",
        f"- Software: Linux {platform.release().split('-')[0]}, Python {platform.python_version()}",
        f"- Command: `{command}`",
        "",
    ]
    for result in results:
        lines += _section(result)
    TARGET.write_text("\n".join(lines))


def _section(result: Result) -> list[str]:
    loaded, memory = result.loaded, result.memory / 1024**2
    size = loaded.size / loaded.projects / 1000
    lines = [
        f"## {'SQLite' if result.database == 'sqlite' else 'PostgreSQL'}, {loaded.projects:,} projects",
        "",
        f"{loaded.files:,} files, loaded in {loaded.seconds:.0f} s; the database takes {size:.1f} kB a project.",
        f"Ready {result.ready_seconds:.1f} s after the start; {memory:.0f} MiB resident in the worker after the load.",
        "",
        "| what | connections | Packhouse, 1/s | p99, ms | nginx, 1/s | ratio | at least | µs | by time |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {connections} | {found.ours.rate:,.0f} | {found.ours.p99:.2f} | {found.nginx.rate:,.0f} "
        f"| {found.ratio:.2f} | {target} | {found.ours.cpu:.1f} / {found.nginx.cpu:.1f} | {found.cpu_ratio:.2f} |"
        for name, connections, target, found in result.rows
    ]
    lines += _others(result)
    lines += ["", "| uploads of a small wheel | 1/s | median, ms | p99, ms |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {found.rate:.0f} | {found.p50:.0f} | {found.p99:.0f} |" for name, found in result.uploads.items()
    ]
    return [*lines, "", *_growth(result.growth)]


def _others(result: Result) -> list[str]:
    """Django's page, and the crowd before a cold one."""
    lines = ["", "| a page of Django's, with session and user | 1/s | ms of processor time |", "|---|---|---|"]
    lines += [f"| {number} at a time | {found.rate:.0f} | {found.cpu / 1000:.2f} |" for number, found in result.pages]
    if result.cold is not None:
        cold = result.cold
        lines += [
            "",
            f"A project of 6,000 files that was not in memory, asked for by {cold.clients:,} clients at once:",
        ]
        lines += [f"{cold.answered:,} answered within {cold.seconds:.1f} s; loaded {cold.built} times."]
    return lines


def _growth(found: list[Growth]) -> list[str]:
    if not found:
        return []
    lines = [
        "A small page in indexes of growing size, and pages taken at random from all of them (SQLite, 32 connections):",
        "",
        "| projects | hot page, µs | 1/s | any page, µs | 1/s | ready after, s |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.projects:,} | {one.hot.cpu:.1f} | {one.hot.rate:,.0f} | {one.spread.cpu:.1f} | {one.spread.rate:,.0f} "
        f"| {one.ready:.1f} |"
        for one in found
    ]
    return [*lines, ""]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
