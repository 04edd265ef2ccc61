"""``python -m bench``: load a catalogue, measure Packhouse and nginx in turn, print ratios, write the report."""

import argparse
import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

from bench import cases, cold, growth, report, servers, uploads, wrk
from packhouse.specs.names import normalize

CONNECTIONS = (1, 32, 256)
HEAVY = "50 MB wheel"
PAGE = "a page of Django's with session and user"
COLD = "a cold project, 2,000 clients at once"
BUSY = "bench-many-files"


def main() -> None:
    options = _options()
    folder = Path(options.folder or tempfile.mkdtemp(prefix="packhouse-bench-"))
    with ExitStack() as stack:
        if not options.keep:
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        results = []
        for name in options.databases.split(","):
            results.append(measure(name, folder, options, stack))
            if options.write:
                report.write(results, options)
        for size in filter(None, options.growth.split(",")):
            results[0].growth.append(growth.measure(int(size), folder, options))
            if options.write:
                report.write(results, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--projects", type=int, default=10_000, help="how many projects to load (10000)")
    parser.add_argument("--files", type=int, default=6000, help="files of the one large project (6000)")
    parser.add_argument("--catalogue", type=Path, help="a catalogue of real names (.tsv.xz); generated without")
    parser.add_argument("--databases", default="sqlite,postgresql", help="sqlite, postgresql or both")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one measurement (3)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each, in turn (3)")
    parser.add_argument("--uploads", type=int, default=400, help="uploads to send (400)")
    parser.add_argument("--growth", default="100,1000,10000,100000", help="sizes to show the cost of a small page at")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--write", action="store_true", help="write docs/reference/performance.md")
    parser.add_argument("--folder", help="where homes and mirrors go (a temporary folder)")
    parser.add_argument("--keep", action="store_true", help="keep that folder")
    return parser.parse_args()


def measure(name: str, folder: Path, options: argparse.Namespace, stack: ExitStack) -> report.Result:
    """Everything on one database."""
    print(f"== {name}, {options.projects} projects", flush=True)
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    database = stack.enter_context(servers.postgresql(folder)) if name == "postgresql" else None
    port = servers.free_port()
    loaded = servers.load(home, database, port, options.projects, options.files, options.catalogue)
    print(f"   loaded: {loaded}", flush=True)
    result = report.Result(name, loaded)
    with servers.packhouse(home, database, port) as ours:
        result.ready_seconds = ours.seconds
        root = folder / f"mirror-{name}"
        with servers.nginx(_prepared(root), folder) as nginx:
            for case in _cases(ours.url, root, folder, home):
                if options.only in case.name:
                    _compare(case, ours, nginx, options, result)
        result.memory = servers.worker_memory(ours.process.pid)
        servers.user(home, database)
        if options.only in PAGE:
            _page(ours, servers.session(home, database), options, result)
        if options.only in COLD:
            result.cold = asyncio.run(cold.ask(ours.url, f"/simple/{BUSY}/", home, database))
            print(f"   {COLD}: {result.cold}", flush=True)
        if options.uploads and options.only in "uploads":
            _upload(ours.url, home, database, options, result)
    return result


def _prepared(root: Path) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    return root


def _cases(ours: str, root: Path, folder: Path, home: Path) -> Iterator[cases.Case]:
    """The cases, each with its mirror in place."""
    gzip, json_gzip = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "gzip", "Accept": cases.JSON}
    small = _small_project(ours)
    for case_name, path, headers, target in (
        ("small page, HTML", f"/simple/{small}/", gzip, 0.5),
        ("small page, JSON", f"/simple/{small}/", json_gzip, 0.5),
        ("page of 6,000 files, gzip", "/simple/bench-many-files/", json_gzip, 0.8),
        ("full index, gzip", "/simple/", json_gzip, 0.7),
    ):
        extension = "json" if "Accept" in headers else "html"
        mirror = f"/{case_name.split(',')[0].replace(' ', '-')}.{extension}"
        cases.mirror(ours, path, headers, root / mirror[1:])
        yield cases.Case(case_name, path, mirror, target, headers)
    etag = {"If-None-Match": cases.etag_of(ours, f"/simple/{small}/", gzip), **gzip}
    yield cases.Case("304 of a small page", f"/simple/{small}/", "/small-page.html", 0.5, etag)
    yield _spread(ours, root, folder)
    yield from _files(root, home)


def _small_project(ours: str) -> str:
    """The normalised name of a project from the middle of the index."""
    projects = json.loads(cases.fetch(ours, "/simple/", {"Accept": cases.JSON}))["projects"]
    return normalize(projects[len(projects) // 2]["name"])


def _spread(ours: str, root: Path, folder: Path) -> cases.Case:
    index = json.loads(cases.fetch(ours, "/simple/", {"Accept": cases.JSON}))["projects"]
    names = [normalize(project["name"]) for project in index[:: max(1, len(index) // 10_000)]]
    for name in names:
        cases.mirror(ours, f"/simple/{name}/", {"Accept-Encoding": "gzip"}, root / "simple" / name / "index.html")
    script = cases.random_paths(folder, "spread", "/simple/%s/", names)
    headers = {"Accept-Encoding": "gzip"}
    return cases.Case(f"spread over {len(names):,} projects", "/", "/", 0.3, headers, script)


def _files(root: Path, home: Path) -> Iterator[cases.Case]:
    """Wheels of two sizes, put where the blob store keeps its files."""
    for label, size, target in (("10 kB wheel", 10_000, 0.4), (HEAVY, 50_000_000, 1.0)):
        key = f"ab/cd/{'0' * 52}{size:08d}/bench-1.0-py3-none-any.whl"
        for path in (home / "files" / key, root / "packages" / key):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(1000) * (size // 1000))
        yield cases.Case(label, f"/packages/{key}", f"/packages/{key}", target)


def _page(ours: servers.Server, cookie: str, options: argparse.Namespace, result: report.Result) -> None:
    """The account's own page: a session, a user and what belongs to them, from the database and through a template."""
    for connections in (1, 8):
        found = [
            wrk.run(
                f"{ours.url}/manage/account/",
                ours.process.pid,
                connections=connections,
                seconds=options.seconds,
                headers={"Cookie": cookie},
            )
            for _ in range(options.rounds)
        ]
        result.pages.append((connections, wrk.median(found)))
        print(f"   {PAGE} c={connections} {result.pages[-1][1]}", flush=True)


def _compare(
    case: cases.Case, ours: servers.Server, nginx: servers.Server, options: argparse.Namespace, result: report.Result
) -> None:
    headers = {key: value for key, value in case.headers.items() if key not in ("If-None-Match", "Accept")}
    theirs = dict(headers)
    if "If-None-Match" in case.headers:
        theirs["If-None-Match"] = cases.etag_of(nginx.url, case.mirror, headers)
    for connections in CONNECTIONS if case.name != HEAVY else CONNECTIONS[:2]:
        common = {"connections": connections, "seconds": options.seconds, "script": case.script}
        found = wrk.compare(
            lambda common=common: wrk.run(ours.url + case.path, ours.process.pid, headers=case.headers, **common),
            lambda common=common: wrk.run(nginx.url + case.mirror, nginx.process.pid, headers=theirs, **common),
            options.rounds,
        )
        result.rows.append((case.name, connections, case.target, found))
        print(
            f"   {case.name:28} c={connections:<4} ours {found.ours.rate:>9.0f}/s p99 {found.ours.p99:7.2f} ms"
            f"   nginx {found.nginx.rate:>9.0f}/s   ratio {found.ratio:5.2f} (≥ {case.target})"
            f"   µs {found.ours.cpu:.1f}/{found.nginx.cpu:.1f} {found.cpu_ratio:.2f}"
            f"   errors {found.ours.errors}/{found.nginx.errors}",
            flush=True,
        )


def _upload(url: str, home: Path, database: str | None, options: argparse.Namespace, result: report.Result) -> None:
    """Small wheels into a small project and into the large one, and eight at a time."""
    token = servers.token(home, database)
    count = options.uploads
    forms = uploads.forms(
        chain(
            uploads.wheels("bench-small-project", count // 4),
            uploads.wheels("bench-many-files", count // 4),
            uploads.wheels("bench-parallel", count),
        )
    )
    small, many, parallel = forms[: count // 4], forms[count // 4 : count // 2], forms[count // 2 :]
    result.uploads = {
        "into a small project, one at a time": uploads.run(url, token, small, 1),
        "into the large project, one at a time": uploads.run(url, token, many, 1),
        "eight at a time": uploads.run(url, token, parallel, 8),
    }
    for name, found in result.uploads.items():
        print(f"   uploads {name:38} {found.rate:6.1f}/s  p50 {found.p50:.1f} ms  p99 {found.p99:.1f} ms", flush=True)
        if found.refused:
            print("   refused:", found.refused[:3])


if __name__ == "__main__":
    main()
