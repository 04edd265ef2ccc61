"""PostgreSQL restarted, stopped, cut off in the middle of a commit: reads go on, nothing acknowledged is lost."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Self

import psycopg
import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import Site, check
from tests.faults.publishing import Load, Told, new_token, new_upload, publish, retry_all, send, soon
from tests.servers import cutting, packhouse
from tests.servers.postgresql import Machine

PATIENCE = 240.0
"""Seconds until uploads must succeed again.  The promise, 5 s on a machine of its own, is for the figures to show."""

LOG_A_SECOND, LOG_A_REQUEST = 4096, 8192
"""Bytes of the log, at most, while the database is away."""


class Reader:
    """An installer that reads pages it has read before, without pause, and notes every status."""

    def __init__(self, url: str, paths: list[str]) -> None:
        self.url, self.paths = url, paths
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def _read(self) -> None:
        while not self._stop.wait(0.01):
            for path in self.paths:
                began = time.monotonic()
                status = 0
                with suppress(OSError, HTTPException), Site(self.url) as site:
                    status = site.get(path, "application/vnd.pypi.simple.v1+json")[0]
                self.statuses[status] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def restart_fast(machine: Machine) -> None:
    machine.stop(signal.SIGINT)
    machine.start()


def restart_at_once(machine: Machine) -> None:
    machine.stop(signal.SIGQUIT)
    machine.start()


@contextmanager
def filled(tmp_path: Path, database: str) -> Iterator[tuple[packhouse.Running, str, list[str]]]:
    """An index with a few projects that have been read and will not change, its token, and the paths that were read."""
    with packhouse.running(tmp_path / "home", database=database, workers=1, env={"PACKHOUSE_THREADS": "4"}) as index:
        token, told = new_token(index), Told()
        assert {publish(index.url, token, new_upload(number, prefix="still"), told) for number in range(4)} == {"200"}
        with Site(index.url) as site:
            pages = [f"/simple/{project['name']}/" for project in site.json("/simple/")[2]["projects"]]
            wheels = [file["url"] for page in pages for file in site.json(page)[2]["files"]]
        yield index, token, [*pages, *(wheel[wheel.index("/packages/") :] for wheel in wheels)]


@pytest.mark.parametrize("restart", [restart_fast, restart_at_once])
def test_reads_go_on_and_uploads_come_back_while_postgresql_restarts(
    tmp_path: Path,
    only_postgresql: Machine,
    restart: Callable[[Machine], None],
    rounds: Callable[[int, int], Iterator[int]],
    figures: Figures,
) -> None:
    database = only_postgresql.cluster.create_database("restarted")
    with filled(tmp_path, database) as (index, token, paths):
        slowest = 0.0
        with Reader(index.url, paths) as reader, Load([index.url], token, clients=4, largest=20_000) as load:
            for _ in rounds(1, 20):
                time.sleep(1)
                restart(only_postgresql)
                began, known = time.monotonic(), len(load.told.acknowledged)
                assert soon(lambda known=known: len(load.told.acknowledged) > known, PATIENCE)
                slowest = max(slowest, time.monotonic() - began)
        assert retry_all(index.url, token, load.told) == []
        assert check(index.url, index.home, database=database, told=load.told).violations == []
        failed = sum(count for status, count in reader.statuses.items() if status != 200)
        assert failed <= 0.001 * reader.statuses.total(), reader.statuses
        assert not {answer for answer in load.told.answers if answer.startswith("500")}
        figures(reads=reader.statuses, slowest_read=reader.slowest, recovery=slowest, answers=load.told.answers)


def test_what_has_been_read_is_served_while_postgresql_is_gone_and_the_rest_says_503(
    tmp_path: Path, only_postgresql: Machine
) -> None:
    database = only_postgresql.cluster.create_database("gone")
    with filled(tmp_path, database) as (index, token, paths):
        only_postgresql.stop()
        with Site(index.url) as site:
            assert {site.json(path)[0] for path in paths if path.startswith("/simple/")} == {200}
            assert {site.get(path)[0] for path in paths if path.startswith("/packages/")} == {200}
            assert site.get("/_ready/")[0] == 503
            status, headers, _ = site.get("/simple/never-read/")
            assert (status, "retry-after" in headers) == (503, True)
        status, _ = send(index.url, token, new_upload(1).body())
        assert status == 503
        only_postgresql.start()
        assert soon(lambda: send(index.url, token, new_upload(1).body())[0] == 200, PATIENCE)


def test_the_log_says_little_about_each_request_while_postgresql_is_gone(
    tmp_path: Path, only_postgresql: Machine, often: Callable[[int, int], int], figures: Figures
) -> None:
    """What goes wrong all the time must not fill the disk: a bound for each request, and one for each idle second."""
    database = only_postgresql.cluster.create_database("loud")
    with filled(tmp_path, database) as (index, token, paths), Site(index.url) as site:
        log, requests = index.home / "serve.log", often(60, 600)
        only_postgresql.stop()
        before, began = log.stat().st_size, time.monotonic()
        time.sleep(often(3, 60))
        quiet, asking = log.stat().st_size, time.monotonic()
        for number in range(requests):
            if number % 3:
                site.get(f"/simple/never-read-{number}/" if number % 2 else paths[0])
            else:
                send(index.url, token, new_upload(1).body())
        loud, ended = log.stat().st_size, time.monotonic()
        only_postgresql.start()
        assert soon(lambda: send(index.url, token, new_upload(1).body())[0] == 200, PATIENCE)
    idle = (quiet - before) / (asking - began)
    each = (loud - quiet - idle * (ended - asking)) / requests
    assert idle < LOG_A_SECOND
    assert each < LOG_A_REQUEST
    figures(requests=requests, log_bytes_each=round(each), idle_seconds=asking - began, log_bytes_a_second=round(idle))


def test_reads_go_on_while_postgresql_does_not_answer(
    tmp_path: Path, only_postgresql: Machine, often: Callable[[int, int], int], figures: Figures
) -> None:
    database = only_postgresql.cluster.create_database("frozen")
    with filled(tmp_path, database) as (index, token, paths):
        with Load([index.url], token, clients=2, largest=20_000) as load:
            time.sleep(0.5)
            pids = [only_postgresql.pid, *_children(only_postgresql.pid)]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                with Reader(index.url, paths) as reader:
                    time.sleep(often(4, 30))
            finally:
                for pid in pids:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
            began, known = time.monotonic(), len(load.told.acknowledged)
            assert soon(lambda: len(load.told.acknowledged) > known, PATIENCE)
            recovery = time.monotonic() - began
        assert retry_all(index.url, token, load.told) == []
        assert check(index.url, index.home, database=database, told=load.told).violations == []
        failed = reader.statuses.total() - reader.statuses[200]
        assert failed <= 0.001 * reader.statuses.total(), reader.statuses
        figures(reads=reader.statuses, slowest_read=reader.slowest, recovery=recovery, answers=load.told.answers)


def test_reads_go_on_while_the_network_to_postgresql_swallows_everything(
    tmp_path: Path, only_postgresql: Machine, often: Callable[[int, int], int], figures: Figures
) -> None:
    direct = only_postgresql.cluster.create_database("swallowed")
    with cutting.running(only_postgresql.cluster.port) as proxy:
        database = direct.replace(f":{only_postgresql.cluster.port}/", f":{proxy.port}/")
        with filled(tmp_path, database) as (index, token, paths):
            with Load([index.url], token, clients=2, largest=20_000) as load:
                time.sleep(0.5)
                proxy.swallow()
                with Reader(index.url, paths) as reader:
                    time.sleep(often(4, 30))
                proxy.relent()
                began, known = time.monotonic(), len(load.told.acknowledged)
                assert soon(lambda: len(load.told.acknowledged) > known, PATIENCE)
                recovery = time.monotonic() - began
            assert retry_all(index.url, token, load.told) == []
            assert check(index.url, index.home, database=direct, told=load.told).violations == []
        failed = reader.statuses.total() - reader.statuses[200]
        assert failed <= 0.001 * reader.statuses.total(), reader.statuses
        figures(reads=reader.statuses, slowest_read=reader.slowest, recovery=recovery, answers=load.told.answers)


def take_all(database: str, crowd: ExitStack) -> None:
    """Open every connection there is; the index's own are ended first, so that it has to ask for new ones."""
    others = "datname = current_database() AND application_name <> 'crowd'"
    first = crowd.enter_context(psycopg.connect(database, autocommit=True, application_name="crowd"))
    for _ in range(3):  # it may be faster, now and then
        first.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")  # type: ignore[arg-type]
        with suppress(psycopg.OperationalError):  # too many clients: that is the point
            while True:
                crowd.enter_context(psycopg.connect(database, application_name="crowd"))


def test_where_postgresql_takes_no_more_connections_reads_go_on_and_uploads_come_back(
    tmp_path: Path, only_postgresql: Machine, figures: Figures
) -> None:
    database = only_postgresql.cluster.create_database("crowded")
    with filled(tmp_path, database) as (index, token, paths), ExitStack() as crowd:
        take_all(database, crowd)
        with Reader(index.url, paths) as reader:
            answers = [send(index.url, token, new_upload(number).body())[0] for number in range(4, 8)]
        crowd.close()
        assert soon(lambda: send(index.url, token, new_upload(8).body())[0] == 200, PATIENCE)
        assert set(answers) <= {200, 503}
        assert set(reader.statuses) == {200}
        assert check(index.url, index.home, database=database).violations == []
        figures(reads=reader.statuses, answers=Counter(answers))


def _children(pid: int) -> list[int]:
    from tests.servers.processes import descendants

    return list(descendants(pid))


def test_a_commit_whose_answer_is_lost_is_looked_up(
    tmp_path: Path, only_postgresql: Machine, rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    """The connection breaks after the database has committed: the upload happened, once, and is answered with 200."""
    direct = only_postgresql.cluster.create_database("cut")
    told = Told()
    with cutting.running(only_postgresql.cluster.port) as proxy:
        database = direct.replace(f":{only_postgresql.cluster.port}/", f":{proxy.port}/")
        with filled(tmp_path, database) as (index, token, _):
            answers: Counter[str] = Counter()
            for number in rounds(6, 100):
                proxy.cut_after(b"COMMIT")
                answers[publish(index.url, token, new_upload(number), told)] += 1
            assert set(answers) == {"200"}
            assert proxy.cuts >= answers.total() - 1
            assert check(index.url, index.home, database=direct, told=told).violations == []
            figures(cuts=proxy.cuts, answers=answers)
