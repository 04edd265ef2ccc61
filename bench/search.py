"""``python -m bench.search``: how long searches take, on SQLite and PostgreSQL, and what the index costs to make.

Fills a database with a catalogue (real names with ``--catalogue``, generated ones without), builds the index, and asks
mixed questions in this process.  Reports p50 and p95 in ms by kind, the build in seconds, and one project's update; on
the clock, and of processor time, which other work on the machine changes less: of this process and of the one in which
PostgreSQL answers it.
"""

import argparse
import dataclasses
import json
import lzma
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from bench import load, servers

CLASSIFIERS = (
    *(f"Programming Language :: Python :: 3.{minor}" for minor in range(8, 15)),
    *("Development Status :: 3 - Alpha", "Development Status :: 5 - Production/Stable", "Typing :: Typed"),
    *("License :: OSI Approved :: MIT License", "License :: OSI Approved :: Apache Software License"),
    *("Framework :: Django", "Framework :: Flask", "Operating System :: OS Independent", "Framework :: Pytest"),
    *("Topic :: Internet :: WWW/HTTP", "Topic :: Scientific/Engineering", "Topic :: Software Development :: Libraries"),
)
KINDS: dict[str, tuple[str, ...]] = {
    "exact": ("requests", "numpy", "django", "flask-cors", "boto3", "pytest", "rich", "sqlalchemy", "zzz-not-there"),
    "prefix": ("djang", "goog", "fast", "py", "tensor", "langch", "aws", "micro", "open"),
    "two words": ("http client", "parse toml", "plot charts", "machine learning", "web framework", "data tools"),
    "typo": ("requets", "nupmy", "beatifulsoup", "sqlalchmey", "pandsa", "djnago", "tensroflow", "scikit-lern"),
    "classifier": tuple(f'classifier:"{name}"' for name in CLASSIFIERS[::3]),
    "common word": ("python", "api", "data", "tool"),
}


def main() -> None:
    options = _options()
    folder = Path(options.folder or tempfile.mkdtemp(prefix="packhouse-search-"))
    for name in options.databases.split(","):
        home = folder / name
        home.mkdir(parents=True, exist_ok=True)
        with servers.postgresql(folder) if name == "postgresql" else _nothing() as database:
            environment = {**os.environ, "PACKHOUSE_HOME": str(home)}
            if database:
                environment["PACKHOUSE_DATABASE"] = database
            again = ["--again"] if options.again else []
            arguments = ["--inside", *again, "--projects", str(options.projects), "--rounds", str(options.rounds)]
            given = ["--catalogue", str(options.catalogue)] if options.catalogue else []
            print(f"== {name}, {options.projects} projects", flush=True)
            command = [sys.executable, "-m", "bench.search", *arguments, *given, "--folder", str(home)]
            subprocess.run(command, env=environment, check=True)


class _nothing:  # noqa: N801 - stands where a context manager stands
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.search", description=__doc__)
    parser.add_argument("--projects", type=int, default=10_000, help="how many projects to load (10000)")
    parser.add_argument("--catalogue", type=Path, help="a catalogue of real names (.tsv.xz); generated without")
    parser.add_argument("--databases", default="sqlite,postgresql", help="sqlite, postgresql or both")
    parser.add_argument("--rounds", type=int, default=5, help="how often each question is asked (5)")
    parser.add_argument("--again", action="store_true", help="make the index once more, while it is there")
    parser.add_argument("--folder", help="where the databases go; one that is filled already is used as it is")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def inside(options: argparse.Namespace) -> None:
    """In the process that has the database."""
    load.connect(Path(options.folder))
    from packhouse.projects.models import Project
    from packhouse.search import actions
    from packhouse.search.models import Entry

    if not Project.objects.exists():
        print(f"   projects loaded in {_timed(lambda: fill(options.projects, options.catalogue)):.0f} s", flush=True)
    figures: dict[str, float] = {}
    count = Project.objects.count()
    if Entry.objects.count() < count:
        if options.catalogue:
            give_downloads(options.catalogue)
        figures |= _costs("build", actions.rebuild)
        print(f"   index built: {figures}, database {load.database_size() / 1e6:.0f} MB", flush=True)
    if options.again:
        figures |= _costs("rebuild while serving", actions.rebuild)
        print(f"   index built again: {figures}, database {load.database_size() / 1e6:.0f} MB", flush=True)
    ids = list(Project.objects.values_list("pk", flat=True)[:: max(1, count // 40)])[:40]
    updates = [_costs("", lambda pk=pk: actions.index_projects([pk])) for pk in ids]
    for what in (" s", " s of CPU"):
        found = [update[what] * 1000 for update in updates]
        figures[f"update, m{what.strip()}"] = statistics.median(found)
        figures[f"worst update, m{what.strip()}"] = max(found)
    figures |= measure(options.rounds)
    figures |= {"projects": float(count), "database, kB a project": load.database_size() / count / 1000}
    print(json.dumps(figures))


def fill(count: int, given: Path | None) -> None:
    """*count* projects of one release each, with classifiers; downloads follow from ranks where they are known."""
    from django.db import transaction

    from bench import catalogue
    from packhouse.projects.bulk import load_projects
    from packhouse.search import actions

    chance = random.Random(5)
    ranks = read_ranks(given) if given else {}
    entries = catalogue.entries(count, given, files_per_project=1)
    while some := [_described(entry, chance) for entry in islice(entries, 500)]:
        with transaction.atomic():
            ids = load_projects(some)
        downloads = {pk: ranks[entry.name] for pk, entry in zip(ids, some, strict=True) if entry.name in ranks}
        actions.set_downloads(downloads)


def give_downloads(given: Path) -> None:
    """To the projects that are there already, by the ranks of the *given* catalogue."""
    from packhouse.projects.models import Project
    from packhouse.search import actions

    ranks = read_ranks(given)
    rows = Project.objects.values_list("name", "pk").iterator()
    actions.set_downloads({pk: ranks[name] for name, pk in rows if name in ranks})


def read_ranks(given: Path) -> dict[str, int]:
    """Names → downloads in 30 days as they may be at that rank."""
    with lzma.open(given, "rt", encoding="utf-8") as lines:
        next(lines)
        rows = (line.split("\t") for line in lines)
        return {row[0]: estimate(int(row[3])) for row in rows if row[3]}


def estimate(rank: int) -> int:
    """Downloads by rank, as Zipf would have them."""
    return int(1.5e9 / rank**1.2)


def _described(entry: Any, chance: random.Random) -> Any:
    """*entry* with one release, without files, that carries classifiers."""
    release = entry.releases[-1]
    about = {"name": entry.name, "summary": entry.summary, "classifier": chance.sample(CLASSIFIERS, 6)}
    return dataclasses.replace(entry, releases=[dataclasses.replace(release, files=(), metadata=about)])


def measure(rounds: int) -> dict[str, float]:
    """Of each question the best of *rounds*, by processor time: on a busy machine the least disturbed one."""
    from packhouse.search import language, queries

    queries.TIME_LIMIT = 30.0  # measured, not given up
    every: list[dict[str, float]] = []
    figures: dict[str, float] = {}
    for kind, questions in KINDS.items():
        found = []
        for question in map(language.read, questions):
            queries.search(question)
            rounds_of = [_costs("", lambda q=question: queries.search(q)) for _ in range(rounds)]
            found.append(min(rounds_of, key=lambda costs: costs[" s of CPU"]))
        every += found if kind != "common word" else []
        figures |= _spread(kind, found)
    return figures | _spread("mixed", every)


def _spread(kind: str, found: list[dict[str, float]]) -> dict[str, float]:
    figures = {}
    for what, name in ((" s of CPU", "ms of CPU"), (" s", "ms")):
        times = [costs[what] * 1000 for costs in found]
        print(f"   {kind:12} {name:10} {_quantiles(times)}", flush=True)
        figures[f"{kind}, p50, {name}"] = statistics.median(times)
        figures[f"{kind}, p95, {name}"] = statistics.quantiles(times, n=20, method="inclusive")[-1]
    return figures


def _quantiles(times: list[float]) -> str:
    parts = statistics.quantiles(times, n=20, method="inclusive")
    return f"p50 {statistics.median(times):6.1f} ms   p95 {parts[-1]:6.1f} ms   worst {max(times):6.1f} ms"


def _costs(name: str, work: Callable[[], object]) -> dict[str, float]:
    """Seconds that *work* takes: on the clock, and of the processors."""
    server = _server()
    before = time.process_time() + _processor_time(server)
    seconds = _timed(work)
    return {f"{name} s": seconds, f"{name} s of CPU": time.process_time() + _processor_time(server) - before}


def _server() -> int | None:
    """The process of PostgreSQL that answers this one."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _processor_time(pid: int | None) -> float:
    if pid is None:
        return 0.0
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    inside(_options()) if "--inside" in sys.argv else main()
