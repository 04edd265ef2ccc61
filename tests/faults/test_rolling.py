"""Two servers restarted in turn while uploads are in flight: nobody who was being served notices."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import JSON, Site, check
from tests.faults.publishing import Load, new_token, new_upload, send_slowly
from tests.servers import packhouse, processes
from tests.servers.packhouse import Running, run_cli

PUBLIC_URL = "http://index.example"
ONE_ADDRESS = {"PACKHOUSE_PUBLIC_URL": PUBLIC_URL, "PACKHOUSE_DRAIN_SECONDS": "240"}
"""What is under way when a server is told to stop may take long: the machine may be busy with other things."""


class ThinLine(threading.Thread):
    """One upload that takes longer than it takes to tell the server to stop."""

    def __init__(self, url: str, token: str, number: int, size: int) -> None:
        super().__init__()
        self.upload = new_upload(4 * number, size=size)
        self.url, self.token = url, token
        self.body = self.upload.body()
        self.begun = threading.Event()
        self.status = 0

    def run(self) -> None:
        self.status = send_slowly(self.url, self.token, self.body, 3, begun=self.begun)


class Reading(threading.Thread):
    """Reads pages from whichever server the load balancer names, over one connection as long as that is open.

    What was asked over a connection that had been used before, and closed without an answer, is asked again over a new
    one, as all clients do (RFC 9112, 9.3.1); what a new connection does not answer is a failure.
    """

    def __init__(self, urls: list[str], statuses: Counter[int]) -> None:
        super().__init__()
        self.urls, self.statuses = urls, statuses
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            url = self.urls[0]
            with Site(url) as site:
                try:
                    self._note(site.get("/simple/", JSON)[0])
                except (OSError, HTTPException):
                    self._note(0)
                    continue
                with suppress(OSError, HTTPException):  # the server has stopped since
                    while url in self.urls and not self.stopping.wait(0.01):
                        self._note(site.get("/simple/", JSON)[0])

    def _note(self, status: int) -> None:
        with COUNTING:
            self.statuses[status] += 1


COUNTING = threading.Lock()


@contextmanager
def read_all_the_while(urls: list[str], clients: int) -> Iterator[Counter[int]]:
    """How often *clients* who read were told which status; 0 is a request that failed."""
    statuses: Counter[int] = Counter()
    readers = [Reading(urls, statuses) for _ in range(clients)]
    for reader in readers:
        reader.start()
    try:
        yield statuses
    finally:
        for reader in readers:
            reader.stopping.set()
        for reader in readers:
            reader.join()


def test_rolling_restarts_lose_no_upload_and_no_read(
    tmp_path: Path,
    live_database: str | None,
    often: Callable[[int, int], int],
    rounds: Callable[[int, int], Iterator[int]],
    figures: Figures,
) -> None:
    home, size = tmp_path / "home", often(5_000_000, 100_000_000)
    lines: list[ThinLine] = []
    servers = [packhouse.start_packhouse(home, database=live_database, env=ONE_ADDRESS) for _ in range(2)]
    token = new_token(servers[0])
    balanced = [server.url for server in servers]
    readers = often(1, 4)
    try:
        with (
            read_all_the_while(balanced, readers) as statuses,
            Load(balanced, token, clients=4 * readers, largest=50_000) as load,
        ):
            for number in rounds(2, 50):
                lines.append(ThinLine(servers[number % 2].url, token, 100_000 + number, size))
                lines[-1].start()
                assert lines[-1].begun.wait(240)
                servers[number % 2] = _restart(servers[number % 2], balanced)
        for line in lines:
            line.join()
        found = check(servers[0].url, home, database=live_database, told=load.told, in_flight=0, public_url=PUBLIC_URL)
    finally:
        for server in servers:
            server.stop()
    assert set(load.told.answers) == {"200"}
    assert set(statuses) == {200}
    assert {line.status for line in lines} == {200}
    assert all(found.listed[line.upload.filename] == line.upload.sha256 for line in lines)
    assert found.violations == []
    figures(restarts=len(lines), uploads=load.told.answers, reads=statuses, slow_uploads=len(lines), of_bytes=size)


@pytest.mark.usefixtures("on_one_database")
def test_a_deployment_that_cannot_start_leaves_the_old_server_serving(
    tmp_path: Path, live_database: str | None, figures: Figures
) -> None:
    """Wrong settings, a database that is not there, a port that is taken: the new server ends, the old one goes on."""
    home = tmp_path / "home"
    nowhere = f"postgresql://nobody@127.0.0.1:{processes.free_port()}/nothing"
    with packhouse.running(home, database=live_database, env=ONE_ADDRESS) as old:
        token = new_token(old)
        taken = old.url.rpartition(":")[2]
        bad = [
            ({"PACKHOUSE_THREADS": "many"}, str(processes.free_port()), live_database),
            ({"PACKHOUSE_FILES": "ftp://nowhere"}, str(processes.free_port()), live_database),
            ({}, str(processes.free_port()), nowhere),
            ({}, taken, live_database),
        ]
        with (
            read_all_the_while([old.url], 1) as statuses,
            Load([old.url], token, clients=2, largest=20_000) as load,
        ):
            for env, port, database in bad:
                done = run_cli(home, "serve", "--port", port, database=database, check=False, env=env)
                assert done.returncode != 0, (env, port, database)
        assert set(load.told.answers) == {"200"}
        assert set(statuses) == {200}
        found = check(old.url, home, database=old.database, told=load.told, in_flight=0, public_url=PUBLIC_URL)
        assert found.violations == []
        figures(deployments=len(bad), uploads=load.told.answers, reads=statuses)


def _restart(server: Running, balanced: list[str]) -> Running:
    """Stop *server* once the load balancer has stopped sending it anything new, and start it again."""
    balanced.remove(server.url)
    time.sleep(random.uniform(0.5, 1.0))  # nobody who has chosen it is still on the way
    assert server.stop() == 0
    port = int(server.url.rpartition(":")[2])
    again = packhouse.start_packhouse(server.home, database=server.database, port=port, env=ONE_ADDRESS)
    balanced.append(again.url)
    return again
