"""Workers that share what comes."""

import os
import signal
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.server.test_master import other_than, pid_of, service, wait_for

from packhouse.server.neighbours import MARGIN


def ask(url: str) -> int:
    return int(urllib.request.urlopen(f"{url}slow", timeout=30).read())


def all_at_once(url: str, count: int) -> Counter[int]:
    """Who answered of *count* slow requests that were under way at the same time."""
    with ThreadPoolExecutor(count) as threads:
        return Counter(threads.map(ask, [url] * count))


def test_clients_of_a_busy_worker_are_passed_on_to_those_that_are_not():
    with service(3, "uneven") as (master, url):
        wait_for(master, 3)
        answered = all_at_once(url, 60)
        assert len(answered) == 3
        assert max(answered.values()) - min(answered.values()) <= 2 * MARGIN
        assert len({pid_of(url) for _ in range(20)}) == 1  # who is not busy keeps its clients


def test_a_request_of_any_size_survives_being_passed_on():
    with service(2, "uneven") as (master, url):
        wait_for(master, 2)
        with ThreadPoolExecutor(40) as threads:
            busy = [threads.submit(ask, url) for _ in range(20)]
            time.sleep(0.2)
            bodies = [os.urandom(size) for size in (0, 1, 70_000, 1_000_000)]
            posts = [urllib.request.Request(url, body, method="POST") for body in bodies]
            answers = [urllib.request.urlopen(post, timeout=20).status for post in posts]
            assert answers == [200] * 4
            assert len({done.result() for done in busy}) == 2


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_neighbour_that_ends_gets_no_more_and_its_successor_does(sign):
    with service(2, "uneven") as (master, url):
        wait_for(master, 2)
        first = pid_of(url)
        (other,) = all_at_once(url, 30).keys() - {first}
        os.kill(other, sign)
        wait_for(master, 1)
        answered = all_at_once(url, 30)
        assert len(answered) == 2
        assert other not in answered
        assert sum(answered.values()) == 30
        assert other_than(url, other) == first
