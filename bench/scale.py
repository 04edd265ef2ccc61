"""``python -m bench.scale FOLDER``: the head of ``docs/reference/performance-million.md``, from what was measured.

FOLDER has a folder for each database, with the last lines (JSON) of what ``bench.load`` (or ``bench.multiply``),
``bench.million`` and ``bench.search`` have printed: ``load.json``, ``million.json``, ``search.json``; ``note.txt`` for
a sentence about the circumstances; ``alone.json`` of ``bench.alone``; ``empty.json`` and ``empty-alone.json`` of
``bench.million`` and ``bench.alone`` on an empty home.  What is not there is left out.
"""

import json
import os
import platform
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "performance-million.md"
BY_HAND = "<!-- What follows is written by hand. -->"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
Figures = dict[str, Any]
SERVED = (
    ("start to ready, s", "ready, s", "5"),
    ("the same, s of CPU", "ready, s of CPU", ""),
    ("small page, ratio to nginx by rate", "small page, ratio by rate", "≥ 0.5"),
    ("small page, ratio by CPU", "small page, ratio by CPU", ""),
    ("spread over 10,000 pages, ratio by rate", "spread, ratio by rate", "≥ 0.3"),
    ("spread, ratio by CPU", "spread, ratio by CPU", ""),
    ("full index, ratio by rate", "full index, ratio by rate", "≥ 0.5"),
    ("full index, ratio by CPU", "full index, ratio by CPU", ""),
    ("full index, packed, MB", "full index, packed, MB", ""),
    ("the index shows an upload after, s, median", "index shows an upload after, s, median", "2"),
    ("the same, worst", "index shows an upload after, s, worst", ""),
    ("an upload by itself, ms of CPU", "upload alone, ms of CPU", "1.3 times an empty index's"),
    ("the same into an empty index", "empty, upload alone, ms of CPU", ""),
    ("an upload with what follows it in all processes, ms of CPU", "upload, ms of CPU", ""),
    ("the same into an empty index", "empty, upload, ms of CPU", ""),
    ("an upload and the index's refresh, ms of CPU", "upload and refresh, ms of CPU", ""),
    ("memory of the worker at the end, MiB", "memory, MiB, at the end", "300"),
)
FOUND = (
    ("index build, s", "build s", "900"),
    ("index build, s of CPU", "build s of CPU", ""),
    ("made anew while it serves, s", "rebuild while serving s", "900"),
    ("made anew while it serves, s of CPU", "rebuild while serving s of CPU", ""),
    ("one project's update, median ms", "update, ms", "50"),
    ("one project's update, median ms of CPU", "update, ms of CPU", ""),
    ("mixed searches, p50, ms", "mixed, p50, ms", "30"),
    ("mixed searches, p50, ms of CPU", "mixed, p50, ms of CPU", ""),
    ("mixed searches, p95, ms", "mixed, p95, ms", "120"),
    ("mixed searches, p95, ms of CPU", "mixed, p95, ms of CPU", ""),
    *(
        (f"{kind}, p50, ms of CPU", f"{kind}, p50, ms of CPU", "")
        for kind in ("exact", "prefix", "two words", "typo", "classifier", "common word")
    ),
)


def main() -> None:
    folder = Path(sys.argv[1])
    measured = {name: _read(folder / name) for name in DATABASES if list(folder.glob(f"{name}/*"))}
    lines = [
        "# Performance at a million projects",
        "",
        "Written by `python -m bench.scale` from what `bench.load` (or `bench.multiply`), `bench.million` and",
        "`bench.search` have printed. One worker; nginx serves the same bytes in the same run. Processor time is that",
        "of all processes of the index, and of PostgreSQL's process where it answers. Where the machine has other work",
        "at the same time, the clock tells little and processor time is what to compare.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d}",
        f"- Machine: {os.cpu_count()} cores, shared with other work",
        f"- Software: Linux {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "",
    ]
    for name, figures in measured.items():
        lines += [f"## {DATABASES[name]}", "", *_about(figures), *_table("serving and publishing", SERVED, figures)]
        lines += _table("search", FOUND, figures)
    by_hand = TARGET.read_text().partition(BY_HAND)[2] if TARGET.exists() else ""
    TARGET.write_text("\n".join([*lines, BY_HAND]).rstrip() + by_hand)


def _read(folder: Path) -> Figures:
    figures: Figures = {"load": {}, "note": ""}
    for part in ("million", "search", "alone"):
        if (folder / f"{part}.json").exists():
            read = json.loads((folder / f"{part}.json").read_text())
            figures |= {re.sub("^spread over [0-9,]+,", "spread,", name): value for name, value in read.items()}
    for path in sorted(folder.glob("empty*.json")):
        figures |= {f"empty, {name}": value for name, value in json.loads(path.read_text()).items()}
    if (folder / "load.json").exists():
        figures["load"] = json.loads((folder / "load.json").read_text())
    if (folder / "note.txt").exists():
        figures["note"] = (folder / "note.txt").read_text().strip()
    return figures


def _about(figures: Figures) -> list[str]:
    lines = [figures["note"]] if figures["note"] else []
    if loaded := figures["load"]:
        kilobytes = loaded["size"] / loaded["projects"] / 1000
        lines.append("")
        lines.append(
            f"{loaded['projects']:,} projects with {loaded['files']:,} files, loaded in {loaded['seconds']:,.0f} s; "
            f"the database takes {kilobytes:.1f} kB a project."
        )
    return [*lines, ""] if lines else []


def _table(name: str, rows: tuple[tuple[str, str, str], ...], figures: Figures) -> list[str]:
    found = [(label, figures[key], target) for label, key, target in rows if key in figures]
    if not found:
        return []
    body = [f"| {label} | {_number(value)} | {target} |" for label, value, target in found]
    return [f"| {name} | measured | target |", "|---|---|---|", *body, ""]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    main()
