"""Slow searches do not take every thread."""

import threading

import pytest

from packhouse.search.guard import FAILURES, Busy, Guard


def test_no_more_searches_run_at_once_than_there_are_places():
    guard = Guard(threading.BoundedSemaphore(1))
    with guard.turn(), pytest.raises(Busy), guard.turn():
        pass
    with guard.turn():
        pass


def fail(guard):
    with pytest.raises(RuntimeError), guard.turn():
        raise RuntimeError


def test_searches_that_keep_failing_are_refused_for_a_while():
    guard = Guard(threading.BoundedSemaphore(1))
    for _ in range(FAILURES - 1):
        fail(guard)
    with guard.turn():
        pass  # a success: counting starts again
    for _ in range(FAILURES):
        fail(guard)
    with pytest.raises(Busy), guard.turn():
        pass
    guard.closed_until = 0.0
    with guard.turn():
        pass
