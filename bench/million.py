"""``python -m bench.million HOME``: what an index of any size costs to serve and to publish to.

Serves the filled database of HOME (``bench.load``, ``bench.multiply``; or the one that ``PACKHOUSE_DATABASE`` names),
and prints how soon it is ready, what small pages and the full index cost beside nginx, what an upload costs, how soon
the index shows it, and what the worker takes of memory.  Costs are seconds of processor time, which a busy machine
changes less than seconds on the clock.  Run it for a small home and for a large one, and compare.
"""

import argparse
import http.client
import json
import os
import statistics
import tempfile
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from bench import cases, servers, uploads, wrk

GZIP = {"Accept-Encoding": "gzip"}
INDEX = {"Accept": cases.JSON, **GZIP}
Figures = dict[str, float]


def main() -> None:
    options = _options()
    database = os.environ.get("PACKHOUSE_DATABASE")
    servers.user(options.home, database)
    token = servers.token(options.home, database)
    figures: Figures = {}
    with servers.packhouse(options.home, database) as ours, tempfile.TemporaryDirectory() as folder:
        meter = Meter(ours.process.pid)
        figures["ready, s"] = ours.seconds
        figures["ready, s of CPU"] = meter.seconds()
        figures["memory, MiB, at the start"] = servers.worker_memory(ours.process.pid) / 1024**2
        figures |= _reading(ours.url, Path(folder), meter, options)
        figures["memory, MiB, after reading"] = servers.worker_memory(ours.process.pid) / 1024**2
        figures |= _publishing(ours.url, token, meter, options)
        figures["memory, MiB, at the end"] = servers.worker_memory(ours.process.pid) / 1024**2
    for name, value in figures.items():
        print(f"{name:44} {value:10.2f}")
    print(json.dumps(figures))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.million", description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement (2)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each, in turn (3)")
    parser.add_argument("--spread", type=int, default=10_000, help="over how many projects requests are spread (10000)")
    parser.add_argument("--uploads", type=int, default=40, help="uploads to send (40)")
    return parser.parse_args()


class Meter:
    """Processor time of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def seconds(self) -> float:
        return sum(map(processor_time, servers.family(self._pid)))

    def of(self, work: Callable[[], object]) -> float:
        before = self.seconds()
        work()
        return self.seconds() - before


def processor_time(pid: int) -> float:
    """Of the process itself, in seconds; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _reading(url: str, folder: Path, meter: Meter, options: argparse.Namespace) -> Figures:
    began, before = time.monotonic(), meter.seconds()
    index = _fetched(url)
    found = {"full index, first time, s": time.monotonic() - began}
    found["full index, first time, s of CPU"] = meter.seconds() - before
    found["full index, packed, MB"] = len(index) / 1e6
    names = _names(index, options.spread)
    root = folder / "mirror"
    with servers.nginx(_made(root), folder) as nginx:
        for name, case in _cases(url, root, folder, names):
            found |= _compared(name, case, url, nginx, meter, options)
    return found


def _fetched(url: str) -> bytes:
    """The full index; a worker that has just started on a busy machine may still be reading it."""
    while True:
        try:
            return cases.fetch(url, "/simple/", INDEX)
        except urllib.error.HTTPError as error:
            if error.code != 503:
                raise
            time.sleep(0.1)


def _made(root: Path) -> Path:
    root.mkdir(parents=True)
    return root


def _names(packed: bytes, count: int) -> list[str]:
    import gzip

    from packhouse.specs.names import normalize

    listed = json.loads(gzip.decompress(packed))["projects"]
    return [normalize(project["name"]) for project in listed[:: max(1, len(listed) // count)]]


def _cases(url: str, root: Path, folder: Path, names: list[str]) -> Iterator[tuple[str, cases.Case]]:
    small = names[len(names) // 2]
    for name in names:
        cases.mirror(url, f"/simple/{name}/", GZIP, root / "simple" / name / "index.html")
    cases.mirror(url, "/simple/", INDEX, root / "index.json")
    script = cases.random_paths(folder, "spread", "/simple/%s/", names)
    yield "small page", cases.Case("", f"/simple/{small}/", f"/simple/{small}/", 0.5, GZIP)
    yield f"spread over {len(names):,}", cases.Case("", "/", "/", 0.3, GZIP, script)
    yield "full index", cases.Case("", "/simple/", "/index.json", 0.5, INDEX)


def _compared(
    name: str, case: cases.Case, url: str, nginx: servers.Server, meter: Meter, options: argparse.Namespace
) -> Figures:
    """Processor time of a request on both, and their ratio; and that of requests a second."""
    load = {"connections": 32, "seconds": options.seconds, "script": case.script}
    theirs = Meter(nginx.process.pid)
    plain = {key: value for key, value in case.headers.items() if key != "Accept"}
    wrk.run(url + case.path, headers=case.headers, **load)
    ours_cost, nginx_cost, rates = [], [], []
    for _ in range(options.rounds):
        ours, cost = _measured(meter, lambda: wrk.run(url + case.path, headers=case.headers, **load))
        other, other_cost = _measured(theirs, lambda: wrk.run(nginx.url + case.mirror, headers=plain, **load))
        ours_cost.append(cost)
        nginx_cost.append(other_cost)
        rates.append(ours.rate / other.rate)
    mine, his = statistics.median(ours_cost), statistics.median(nginx_cost)
    return {
        f"{name}, µs of CPU": mine * 1e6,
        f"{name}, nginx, µs of CPU": his * 1e6,
        f"{name}, ratio by CPU": his / mine,
        f"{name}, ratio by rate": statistics.median(rates),
    }


def _measured(meter: Meter, work: Callable[[], wrk.Result]) -> tuple[wrk.Result, float]:
    """What *work* has found, and the processor time of one request."""
    before, began = meter.seconds(), time.monotonic()
    result = work()
    return result, (meter.seconds() - before) / max(1.0, result.rate * (time.monotonic() - began))


def _publishing(url: str, token: str, meter: Meter, options: argparse.Namespace) -> Figures:
    """Uploads into a new small project, with the full index in memory; and until the index shows one."""
    start = int(time.time())
    ready = uploads.forms(uploads.wheels("bench-published", options.uploads + 15, start))
    uploads.run(url, token, ready[:5], 1)
    sent: list[uploads.Uploads] = []
    cost = meter.of(lambda: sent.append(uploads.run(url, token, ready[10:-5], 1)))
    found = {"upload, ms of CPU": 1000 * cost / (len(ready) - 15), "upload, median ms": sent[0].p50}
    found["uploads refused"] = float(len(sent[0].refused))
    time.sleep(2)
    shown = [_until_shown(url, token, form, meter) for form in (*ready[5:10], *ready[-5:])]
    found["index shows an upload after, s, median"] = statistics.median(seconds for seconds, _, _ in shown)
    found["index shows an upload after, s, worst"] = max(seconds for seconds, _, _ in shown)
    found["upload and refresh, ms of CPU"] = 1000 * statistics.median(cpu for _, cpu, _ in shown)
    found["full index meanwhile, worst answer, ms"] = 1000 * max(worst for _, _, worst in shown)
    return found


def _until_shown(url: str, token: str, form: tuple[str, bytes], meter: Meter) -> tuple[float, float, float]:
    """Seconds from an upload's answer until the index has it, what both cost, and the slowest answer meanwhile."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    before, old = meter.seconds(), _serial(connection)
    uploads.run(url, token, [form], 1)
    began, slowest, serial = time.monotonic(), 0.0, old
    while serial == old and time.monotonic() < began + 30:
        asked = time.monotonic()
        serial = _serial(connection)
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.01)
    return time.monotonic() - began, meter.seconds() - before, slowest


def _serial(connection: http.client.HTTPConnection) -> str:
    connection.request("HEAD", "/simple/", headers=INDEX)
    answer = connection.getresponse()
    answer.read()
    return answer.headers["x-pypi-last-serial"]


if __name__ == "__main__":
    main()
