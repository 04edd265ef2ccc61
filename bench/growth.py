"""What a small page costs in an index of more and more projects: it must not grow with their number."""

import argparse
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench import cases, servers, wrk
from packhouse.specs.names import normalize


@dataclass(frozen=True, slots=True)
class Growth:
    """The same page hot, and pages taken at random from all projects, in an index of ``projects`` projects."""

    projects: int
    hot: wrk.Result
    spread: wrk.Result
    ready: float


def measure(projects: int, folder: Path, options: argparse.Namespace) -> Growth:
    """Load that many on SQLite, serve them, and ask."""
    home, port = folder / f"growth-{projects}", servers.free_port()
    home.mkdir(parents=True)
    servers.load(home, None, port, projects, 0, options.catalogue)
    with servers.packhouse(home, None, port) as ours:
        cases.fetch(ours.url, "/simple/", {"Accept": cases.JSON})
        index = json.loads(cases.fetch(ours.url, "/simple/", {"Accept": cases.JSON}))["projects"]
        names = [normalize(project["name"]) for project in index]
        script = cases.random_paths(folder, f"growth-{projects}", "/simple/%s/", names)
        hot = _run(ours, f"/simple/{names[len(names) // 2]}/", None, options)
        spread = _run(ours, "/", script, options)
        found = Growth(projects, hot, spread, ours.seconds)
    shutil.rmtree(home)
    print(
        f"   {projects:>7} projects: hot {hot.cpu:.1f} µs, spread {spread.cpu:.1f} µs, ready {found.ready:.1f} s",
        flush=True,
    )
    return found


def _run(ours: servers.Server, path: str, script: Path | None, options: argparse.Namespace) -> wrk.Result:
    headers = {"Accept-Encoding": "gzip", "Accept": cases.JSON}
    ask = {"connections": 32, "seconds": options.seconds, "headers": headers, "script": script}
    return wrk.median([wrk.run(ours.url + path, ours.process.pid, **ask) for _ in range(options.rounds)])
