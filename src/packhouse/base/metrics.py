"""Metrics: counted in plain Python where it is hot, summed over all processes of the machine when somebody looks.

Each process writes what it has counted into a file of the running server's shared folder once a second; ``render``
adds the files up and gives them in Prometheus's text format.  What a process counted in its last second is lost when
it is killed.
"""

import json
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packhouse.base import running

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
PAUSE: Final = 1.0
BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SUM: Final = len(BUCKETS) + 1
SENT: Final = len(BUCKETS) + 2

Labels = tuple[str, ...]
Values = dict[str, dict[Labels, float]]


@dataclass(frozen=True, slots=True)
class Metric:
    """A counter or gauge: its help text and the names of its labels."""

    help: str
    labels: tuple[str, ...] = ()


REQUESTS: Final = Metric(
    "How long requests took; plane is data (installers) or control (people, uploads), status the first digit.",
    ("plane", "route", "method", "status"),
)
COUNTERS: Final[Mapping[str, Metric]] = {
    "packhouse_response_bytes": Metric("Bytes of response bodies.", ("plane", "route")),
    "packhouse_uploads": Metric(
        "Uploads: published, repeated or refused; code is the reason of a refusal.", ("outcome", "code")
    ),
    "packhouse_downloads": Metric("Files and metadata files sent, or led to in a bucket.", ("kind",)),
    "packhouse_document_cache": Metric(
        "Documents looked up in a process's memory, and loaded into it: once for all who wait.", ("result",)
    ),
    "packhouse_tasks": Metric("Background tasks that ended.", ("task", "outcome")),
    "packhouse_authentications": Metric(
        "Passwords, second factors and tokens that were checked.", ("method", "outcome")
    ),
    "packhouse_limited": Metric("Requests refused by a rate limit.", ("limit",)),
    "packhouse_letters": Metric("Letters handed to the mail port.", ("outcome",)),
    "packhouse_purged": Metric("Keys that the cache in front was told to forget."),
    "packhouse_upstream_errors": Metric("Calls of other services that failed.", ("service",)),
}
GAUGES: Final[Mapping[str, Metric]] = {
    "packhouse_queue_oldest_seconds": Metric("How long the oldest task that is due has waited.", ("queue",)),
    "packhouse_queue_dead": Metric("Tasks whose attempts are used up.", ("queue",)),
    "packhouse_process_resident_bytes": Metric("Memory of a process.", ("role", "pid")),
}


class Hot:
    """What every request counts: a few hundred nanoseconds, no lock.  To be used from the event loop's thread alone."""

    __slots__ = ("cache_hits", "cache_loads", "cache_misses", "cells", "downloads")

    def __init__(self) -> None:
        self.cells: dict[tuple[str, str, str, int], list[float]] = {}
        self.cache_hits = 0
        self.cache_misses = 0
        self.cache_loads = 0
        self.downloads: dict[str, int] = {"wheel": 0, "sdist": 0, "metadata": 0, "other": 0}

    def request(self, plane: str, route: str, method: str, status: int, seconds: float, sent: int = 0) -> None:
        """A request was answered.  *plane* is ``data`` or ``control``, *route* one of a few classes, never a path."""
        cell = self.cells.get((plane, route, method, status // 100))
        if cell is None:
            known = method if method in METHODS else "OTHER"
            cell = self.cells.setdefault((plane, route, known, status // 100), [0.0] * (len(BUCKETS) + 3))
        cell[bisect_left(BUCKETS, seconds)] += 1
        cell[SUM] += seconds
        cell[SENT] += sent


hot = Hot()
_lock = threading.Lock()
_counted: Values = {}
_levels: Values = {}


def count(name: str, *labels: str, by: float = 1) -> None:
    """Adds *by* to the counter *name* (a key of ``COUNTERS``), under *labels* in their declared order."""
    _add(_counted, COUNTERS[name], name, labels, by)


def level(name: str, *labels: str, value: float) -> None:
    """Sets the gauge *name* (a key of ``GAUGES``)."""
    if len(labels) != len(GAUGES[name].labels):
        raise ValueError(f"{name} has the labels {GAUGES[name].labels}")
    with _lock:
        _levels.setdefault(name, {})[labels] = value


def _add(values: Values, metric: Metric, name: str, labels: Labels, by: float) -> None:
    if len(labels) != len(metric.labels):
        raise ValueError(f"{name} has the labels {metric.labels}")
    with _lock:
        cells = values.setdefault(name, {})
        cells[labels] = cells.get(labels, 0) + by


def reset() -> None:
    """Forgets everything counted so far: for a fresh process after a fork, and for tests."""
    hot.__init__()  # type: ignore[misc]
    with _lock:
        _counted.clear()
        _levels.clear()


def start(role: str) -> None:
    """Writes this process's numbers once a second from now on; *role* says what it is (``server``, ``worker``).

    Does nothing when the process was started alone.
    """
    shared = running.folder()
    if shared is None:
        return
    folder = shared / "metrics"
    folder.mkdir(exist_ok=True)
    path = folder / f"{os.getpid()}-{time.time_ns()}.json"
    threading.Thread(target=_write_forever, args=(path, role), name="metrics", daemon=True).start()


def _write_forever(path: Path, role: str) -> None:
    draft = path.with_suffix(".draft")
    while True:
        level("packhouse_process_resident_bytes", role, str(os.getpid()), value=_resident())
        try:
            draft.write_text(json.dumps(snapshot()))
            draft.replace(path)
        except OSError:
            return  # the folder is gone: the server has ended
        time.sleep(PAUSE)


def _resident() -> int:
    try:
        with Path("/proc/self/statm").open() as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def snapshot() -> dict[str, Any]:
    """All numbers of this process, as JSON can hold them."""
    with _lock:
        counted = {name: [[*key, value] for key, value in cells.items()] for name, cells in _counted.items()}
        levels = {name: [[*key, value] for key, value in cells.items()] for name, cells in _levels.items()}
    requests = [[*key, list(cell)] for key, cell in list(hot.cells.items())]
    cache = [["hit", hot.cache_hits], ["miss", hot.cache_misses], ["load", hot.cache_loads]]
    counted["packhouse_document_cache"] = cache
    counted["packhouse_downloads"] = [[kind, number] for kind, number in hot.downloads.items()]
    return {"pid": os.getpid(), "requests": requests, "counted": counted, "levels": levels}


def render() -> bytes:
    """The numbers of all processes of this server in Prometheus's text format (version 0.0.4)."""
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415 (only whoever is asked needs it)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(list(_snapshots())))
    return generate_latest(registry)


def _snapshots() -> Iterator[dict[str, Any]]:
    yield snapshot()
    shared = running.folder()
    if shared is None:
        return
    for path in sorted((shared / "metrics").glob("*.json")):
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if found["pid"] != os.getpid():
            yield found if running.is_alive(found["pid"]) else found | {"levels": {}}


class _Collector:
    """Sums snapshots."""

    def __init__(self, snapshots: list[dict[str, Any]]) -> None:
        self.snapshots = snapshots

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import (  # noqa: PLC0415
            CounterMetricFamily,
            GaugeMetricFamily,
            HistogramMetricFamily,
        )

        cells = self._requests()
        histogram = HistogramMetricFamily("packhouse_request_seconds", REQUESTS.help, labels=REQUESTS.labels)
        for (plane, route, method, status), cell in sorted(cells.items()):
            histogram.add_metric([plane, route, method, f"{status}xx"], _cumulated(cell), cell[SUM])
        yield histogram
        counted = _summed(snapshot["counted"] for snapshot in self.snapshots)
        sent = counted.setdefault("packhouse_response_bytes", {})
        for (plane, route, _, _), cell in cells.items():
            sent[plane, route] = sent.get((plane, route), 0) + cell[SENT]
        levels = _summed(snapshot["levels"] for snapshot in self.snapshots)
        for declared, family, values in ((COUNTERS, CounterMetricFamily, counted), (GAUGES, GaugeMetricFamily, levels)):
            for name, metric in declared.items():
                shown = family(name, metric.help, labels=metric.labels)
                for labels, value in sorted(values.get(name, {}).items()):
                    shown.add_metric(labels, value)
                yield shown

    def _requests(self) -> dict[tuple[str, str, str, int], list[float]]:
        total: dict[tuple[str, str, str, int], list[float]] = {}
        for snapshot in self.snapshots:
            for plane, route, method, status, cell in snapshot["requests"]:
                known = total.setdefault((plane, route, method, status), [0.0] * len(cell))
                total[plane, route, method, status] = [a + b for a, b in zip(known, cell, strict=True)]
        return total


def _cumulated(cell: list[float]) -> list[tuple[str, float]]:
    total = 0.0
    rows = []
    for bound, number in zip([*map(str, BUCKETS), "+Inf"], cell, strict=False):
        total += number
        rows.append((bound, total))
    return rows


def _summed(tables: Iterable[dict[str, list[list[Any]]]]) -> Values:
    total: Values = {}
    for table in tables:
        for name, rows in table.items():
            cells = total.setdefault(name, {})
            for *labels, value in rows:
                cells[tuple(labels)] = cells.get(tuple(labels), 0) + value
    return total
