"""The same load again and again: the index holds no more files and no more memory after it than before (I12)."""

import http.client
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.faults.conftest import Figures
from tests.faults.invariants import JSON, Site, check
from tests.faults.publishing import Told, Upload, new_token, new_upload, publish, send, soon
from tests.faults.resources import PATIENCE, Held
from tests.faults.test_names import hang_up
from tests.servers import packhouse
from tests.servers.packhouse import Running

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="reads /proc"),
    pytest.mark.usefixtures("on_one_database"),
]

CLIENTS = 8
UPLOADS = [new_upload(4 * number, size=200_000, prefix="held") for number in range(8)]


class Crowd:
    """Clients of all kinds, who do the same things in every round, so that the index itself stays as it is."""

    def __init__(self, index: Running, token: str) -> None:
        self.index, self.token = index, token
        self.told = Told()
        self.statuses: Counter[int] = Counter()
        self._lock = threading.Lock()

    def come(self, times: int) -> None:
        """All clients at once, each doing everything that many times."""
        threads = [threading.Thread(target=self._act, args=(number, times)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _act(self, client: int, times: int) -> None:
        chance = random.Random(client)
        for _ in range(times):
            self._read(chance)
            self._publish(chance.choice(UPLOADS))

    def _read(self, chance: random.Random) -> None:
        project = chance.choice(UPLOADS).project
        with Site(self.index.url) as site:
            pages = ("/", "/simple/", f"/simple/{project}/", f"/project/{project}/", "/search/?q=held", "/nowhere/")
            found = [site.get(path, chance.choice([JSON, "text/html"]))[0] for path in pages]
            site.journal()
        with self._lock:
            self.statuses.update(found)

    def _publish(self, upload: Upload) -> None:
        publish(self.index.url, self.token, upload, self.told)
        send(self.index.url, "packhouse-nobody", upload.body())
        hang_up(self.index.url, self.token, upload.body())
        self._leave_half_way(upload.body())

    def _leave_half_way(self, body: bytes) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.index.url).netloc, timeout=180)
        connection.putrequest("POST", "/legacy/")
        connection.putheader("Content-Length", str(2 * len(body)))
        connection.endheaders(body)
        connection.close()


def test_the_same_load_again_and_again_leaves_no_file_open_and_no_memory_taken(
    tmp_path: Path,
    live_database: str | None,
    often: Callable[[int, int], int],
    rounds: Callable[[int, int], Iterator[int]],
    figures: Figures,
) -> None:
    times, held = often(1, 10), list[Held]()
    with packhouse.running(tmp_path / "home", database=live_database, workers=2) as index:
        crowd = Crowd(index, new_token(index))
        for upload in UPLOADS:
            assert publish(index.url, crowd.token, upload, crowd.told) == "200"
        crowd.come(2 * times)  # threads, connections to the database and what is kept in memory are there from now on
        for _ in rounds(2, 20):
            held.append(_at_rest(index, held))
            crowd.come(times)
        last = _at_rest(index, held)
        assert set(crowd.told.answers) == {"200"}
        assert set(crowd.statuses) <= {200, 404, 429, 503}  # searches are limited, and on a busy machine all pages are
        found = check(
            index.url, index.home, database=index.database, told=crowd.told, in_flight=0, held=(index, held[0])
        )
        assert found.violations == []
        requests = crowd.statuses.total() + 4 * crowd.told.answers.total()
        figures(requests=requests, rounds=len(held), held=[asdict(one) for one in (*held, last)])


def _at_rest(index: Running, before: list[Held]) -> Held:
    """What the index holds once nobody asks anything any more, and at the latest after a while."""
    if before:
        soon(lambda: Held.by(index).is_back_at(before[0]), PATIENCE)
    return Held.by(index)
