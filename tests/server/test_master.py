"""The master process: workers that die, are replaced, and stop."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tests.servers import processes

from packhouse.server.master import ATTEMPTS

ROOT = Path(__file__).parents[2]


@contextmanager
def service(workers: int = 1, *more: str):
    port = processes.free_port()
    command = [sys.executable, "-m", "tests.server.service", str(port), str(workers), *more]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process, f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def pid_of(url: str, attempts: int = 200) -> int:
    """Who answers, once somebody does."""
    for attempt in range(attempts):
        try:
            return int(urllib.request.urlopen(url, timeout=20).read())
        except OSError:
            if attempt == attempts - 1:
                raise
            time.sleep(0.05)
    raise AssertionError


def wait_for(master: subprocess.Popen[bytes], workers: int) -> None:
    """Until so many more *workers* are up."""
    assert master.stdout is not None
    assert [master.stdout.readline() for _ in range(workers)] == [b"up\n"] * workers


def other_than(url: str, gone: int) -> int:
    """The worker that answers when *gone* does no more."""
    for _ in range(400):
        if (found := pid_of(url)) != gone:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{gone} still answers")


def test_a_worker_that_is_killed_is_replaced():
    with service() as (master, url):
        for _ in range(2):
            killed = pid_of(url)
            os.kill(killed, signal.SIGKILL)
            assert other_than(url, killed) != master.pid


def test_workers_that_are_killed_as_soon_as_they_serve_are_replaced_for_ever():
    """Who does that is not in the server, so it does not give itself up, however young they were."""
    with service() as (_, url):
        for _ in range(ATTEMPTS + 2):
            killed = pid_of(url)
            os.kill(killed, signal.SIGKILL)
            assert other_than(url, killed)


def test_on_hup_each_worker_is_replaced_and_on_term_all_end():
    with service() as (master, url):
        old = pid_of(url)
        master.send_signal(signal.SIGHUP)
        new = other_than(url, old)
        assert new != master.pid
        master.send_signal(signal.SIGTERM)
        assert master.wait(20) == 0


def test_workers_share_a_port():
    with service(3) as (_, url):
        assert len({pid_of(url) for _ in range(60)}) == 3


def test_workers_that_never_come_up_are_given_up():
    with service(1, "broken") as (master, _):
        assert master.wait(30) == 3


def test_a_worker_that_is_told_to_end_when_it_has_just_been_forked_ends_and_nobody_else():
    with service(1, "told") as (master, url):
        old = pid_of(url)
        master.send_signal(signal.SIGHUP)  # which a master that is about to end would not heed
        assert other_than(url, old) != master.pid
        master.send_signal(signal.SIGTERM)
        assert master.wait(60) == 0
