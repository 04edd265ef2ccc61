"""The report: docs/reference/performance.md."""

import argparse
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.load import Loaded
from bench.uploads import Uploads
from bench.wrk import Comparison

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "performance.md"


@dataclass(slots=True)
class Result:
    """All figures of one database."""

    database: str
    loaded: Loaded
    ready_seconds: float = 0.0
    memory: int = 0
    rows: list[tuple[str, int, float, Comparison]] = field(default_factory=list)
    uploads: dict[str, Uploads] = field(default_factory=dict)


def write(results: list[Result], options: argparse.Namespace) -> None:
    command = f"python -m bench --projects {options.projects} --rounds {options.rounds} --seconds {options.seconds:g}"
    lines = [
        "# Performance",
        "",
        "Measured by `make bench` against nginx serving the same bytes in the same run: one worker each, pinned to the",
        "same core, wrk on the other; medians. nginx is configured as Debian ships it, without `open_file_cache`.",
        "A row whose ratio is below its last column misses its target. The time until ready contains the rewriting of",
        "every link, because the catalogue is loaded under another address than it is served at.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {_processor()}, {os.cpu_count()} cores",
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
        "| what | connections | Packhouse, 1/s | p99, ms | nginx, 1/s | ratio | at least |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {connections} | {found.ours.rate:,.0f} | {found.ours.p99:.2f} | {found.nginx.rate:,.0f} "
        f"| {found.ratio:.2f} | {target} |"
        for name, connections, target, found in result.rows
    ]
    lines += ["", "| uploads of a small wheel | 1/s | median, ms | p99, ms |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {found.rate:.0f} | {found.p50:.0f} | {found.p99:.0f} |" for name, found in result.uploads.items()
    ]
    return [*lines, ""]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
