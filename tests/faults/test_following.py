"""Who follows an index over HTTP while it changes, as mirrors and readers of feeds do: nothing missed, nothing back."""

import threading
import time
import xml.etree.ElementTree as ET
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from itertools import count, pairwise
from pathlib import Path
from statistics import median
from typing import Self

from tests.faults.conftest import Figures
from tests.faults.invariants import Site, Unanswered, check
from tests.faults.publishing import Load, Told, Upload, new_token, new_upload, publish, retry_all, send_slowly
from tests.faults.test_database_away import restart_fast
from tests.servers import packhouse
from tests.servers.postgresql import Machine

PAUSE = 0.2
"""Between two looks: the XML-RPC answers 3,600 calls an hour."""
OWN, HELD = 600_000_000, 700_000_000
"""Numbers of uploads: of those into the project that is followed, and of the one that comes over a thin line."""
PAGES = [
    ("/simple/own-0/", "meta", "_last-serial"),
    ("/pypi/own-0/json", "last_serial"),
    ("/simple/", "meta", "_last-serial"),
]
"""What has a serial, and where in its body."""
NEWEST = 20
"""Changes whose releases the feed must have in the end; it has room for more."""


class Meanwhile(threading.Thread):
    """Is at work as long as a block lasts."""

    def __init__(self) -> None:
        super().__init__()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join()


class Follower(Meanwhile, ABC):
    """Looks at *path* again and again, and notes what it ``saw``; ``missed`` are the looks that had no answer."""

    def __init__(self, url: str, path: str) -> None:
        super().__init__()
        self.url, self.path = url, path
        self.saw: list[float] = []
        self.looks = 0
        self.missed: Counter[str] = Counter()

    def run(self) -> None:
        while not self._stopping.wait(PAUSE):
            try:
                self._once()
            except (OSError, HTTPException) as error:
                self.missed[f"{type(error).__name__} {error}"] += 1
        self._once()

    def _once(self) -> None:
        with Site(self.url) as site:
            self.saw += self.look(site)
        self.looks += 1

    @abstractmethod
    def look(self, site: Site) -> list[float]:
        """What there is to see now, in order."""


class Mirror(Follower):
    """Asks XML-RPC for the changes since the last one that it knows."""

    def look(self, site: Site) -> list[float]:
        return [entry[4] for entry in site.journal(int(self.saw[-1]) if self.saw else 0)]


class Page(Follower):
    """Reads what has a serial in its header, and the same in its body."""

    def __init__(self, url: str, path: str, *serial: str) -> None:
        super().__init__(url, path)
        self.serial = serial

    def look(self, site: Site) -> list[float]:
        status, headers, body = site.json(self.path)
        if status != 200:
            raise Unanswered(status)
        for key in self.serial:
            body = body[key]
        assert int(headers["x-pypi-last-serial"]) == body
        return [body]


class Feed(Follower):
    """Reads when the newest release was published."""

    titles: list[str]

    def look(self, site: Site) -> list[float]:
        status, _, body = site.get(self.path)
        if status != 200:
            raise Unanswered(status)
        items = list(ET.fromstring(body).iter("item"))
        self.titles = [str(item.findtext("title")) for item in items]
        return [parsedate_to_datetime(str(items[0].findtext("pubDate"))).timestamp()]


def own(number: int) -> Upload:
    return new_upload(OWN + 4 * number, size=20_000, projects=1, prefix="own")


class Sender(Meanwhile):
    """Publishes into the project that is followed, one upload after the other; when each began and how long it took."""

    def __init__(self, url: str, token: str, told: Told) -> None:
        super().__init__()
        self.url, self.token, self.told = url, token, told
        self.took: list[tuple[float, float]] = []

    def run(self) -> None:
        for number in count(1):
            if self._stopping.is_set():
                return
            began, upload = time.monotonic(), own(number)
            while publish(self.url, self.token, upload, self.told) != "200":
                self._stopping.wait(0.05)
            self.took.append((began, time.monotonic() - began))


@contextmanager
def held_up(url: str, token: str, upload: Upload, seconds: int) -> Iterator[None]:
    """*upload* takes *seconds* over a thin line, and is published."""
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send_slowly, url, token, upload.body(), float(seconds))
        yield
        assert sent.result() == 200


def test_who_follows_over_http_misses_nothing_and_sees_nothing_go_back(
    tmp_path: Path, durable_postgresql: Machine | None, often: Callable[[int, int], int], figures: Figures
) -> None:
    """One upload comes over a thin line, and PostgreSQL is restarted in the midst of it."""
    lasting, held = often(8, 60), new_upload(4 * HELD, size=1_000_000, projects=1, prefix="held")
    database = durable_postgresql.cluster.create_database("followed") if durable_postgresql else None
    with packhouse.running(tmp_path / "home", database=database, workers=2) as index:
        token, told, url = new_token(index), Told(), index.url
        assert publish(url, token, own(0), told) == "200"
        mirror, feed = Mirror(url, "/pypi"), Feed(url, "/rss/updates.xml")
        followers = [mirror, feed, *(Page(url, *where) for where in PAGES)]
        with ExitStack() as following:
            for follower in followers:
                following.enter_context(follower)
            with Load([url], token, clients=4, largest=20_000) as load, Sender(url, token, told) as sender:
                time.sleep(lasting / 4)
                began = time.monotonic()
                with held_up(url, token, held, lasting):
                    time.sleep(lasting / 4)
                    if durable_postgresql:
                        restart_fast(durable_postgresql)
            assert retry_all(url, token, load.told) == []
        told.note(held, "200")
        told.acknowledged |= load.told.acknowledged
        with Site(url) as site:
            journal = site.journal()
        assert check(url, index.home, database=database, told=told).violations == []
    assert mirror.saw == [entry[4] for entry in journal]
    assert {f"{name} {version}" for name, version, *_ in journal[-NEWEST:] if version} <= set(feed.titles)
    for follower in followers:
        assert [pair for pair in pairwise(follower.saw) if pair[0] > pair[1]] == [], follower.path
        assert len(set(follower.saw)) > 1
        assert set(follower.missed) <= {"Unanswered 503"}
    figures(
        serials=len(journal),
        looks=sum(follower.looks for follower in followers),
        without_answer=sum(follower.missed.total() for follower in followers),
        median_alone=round(median(took for at, took in sender.took if at < began), 3),
        median_beside_the_held_one=round(median(took for at, took in sender.took if at >= began), 3),
    )
