"""Writers of an SQLite database queue up instead of trying again."""

import threading
import time

import pytest
from django.db import OperationalError, connection, transaction

from packhouse.base.sqlite import pragmas

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def only_on_sqlite(db):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL lets many write at once")


@pytest.fixture
def held():
    """A transaction of another thread that is open until the event is set."""
    begun, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            begun.set()
            release.wait(120)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait(120)
    yield release
    release.set()
    thread.join()


def test_a_writer_goes_on_the_moment_the_one_before_is_done(held):
    threading.Timer(0.3, held.set).start()
    began = time.monotonic()
    with transaction.atomic():
        waited = time.monotonic() - began
    assert 0.25 < waited < 25  # SQLite's own way would have found it locked until its time-out


def test_a_writer_that_would_rather_fail_than_wait_does_not_queue(held):
    with pragmas(busy_timeout=10), pytest.raises(OperationalError, match="locked"), transaction.atomic():
        pass
    assert connection.waits_its_turn


def test_a_failed_transaction_gives_its_turn_back():
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
    passed = threading.Event()

    def write():
        with transaction.atomic():
            passed.set()
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(10)
    assert passed.is_set()
