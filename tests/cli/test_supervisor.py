"""The supervisor alone, over a child that takes its time."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from packhouse.cli.supervisor import ATTEMPTS, Child

ROOT = Path(__file__).parents[2]
TAKES_ITS_TIME = """
import signal, time
def finish(*_):
    print("told", flush=True)
    time.sleep(1)
    print("finished", flush=True)
    raise SystemExit
signal.signal(signal.SIGTERM, finish)
print("up", flush=True)
while True:
    signal.pause()
"""


@contextmanager
def supervisor(*command: str) -> Iterator[tuple[subprocess.Popen[str], IO[str]]]:
    own = [sys.executable, "-m", "tests.cli.supervising", *command]
    with subprocess.Popen(own, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout
        finally:
            process.kill()


def test_while_its_child_finishes_it_sleeps() -> None:
    with supervisor(sys.executable, "-c", TAKES_ITS_TIME) as (process, printed):
        assert printed.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        *_, last = printed.read().splitlines()
        assert process.wait(60) == 0
    name, waits = last.split()
    assert name == "waits"
    assert int(waits) < 20  # started, told, the notice, the child's end: once each, and some for chance


def test_who_ends_it_while_it_is_about_to_begin_anew_ends_it_and_what_is_under_way_still_finishes() -> None:
    with supervisor(sys.executable, "-c", TAKES_ITS_TIME) as (process, printed):
        assert printed.readline() == "up\n"
        process.send_signal(signal.SIGUSR1)
        assert printed.readline() == "told\n"
        process.send_signal(signal.SIGTERM)
        assert "finished" in printed.read().splitlines()
        assert process.wait(60) == 0


def test_a_child_that_is_killed_as_soon_as_it_is_up_is_started_for_ever() -> None:
    says_who_it_is = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    with supervisor(sys.executable, "-c", says_who_it_is) as (process, printed):
        for _ in range(ATTEMPTS + 2):
            os.kill(int(printed.readline()), signal.SIGKILL)
            assert printed.readline() == "packhouse: child ended with status -9\n"
        assert printed.readline().strip().isdecimal()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def test_a_child_that_fails_for_hours_is_still_tried_every_half_minute() -> None:
    child = Child("child", ["/nowhere/to/be/found"])
    for _ in range(3000):
        with pytest.raises(FileNotFoundError):
            child.start()
    assert 0 < child.due - child.started <= 30


def test_a_child_that_cannot_be_started_is_tried_again_and_given_up_in_the_end() -> None:
    with supervisor("/nowhere/to/be/found") as (process, printed):
        lines = printed.read().splitlines()
        assert process.wait(60) == 1
    assert lines.count("packhouse: child cannot be started: No such file or directory") == 5
    assert "packhouse: child does not stay up; giving up" in lines
