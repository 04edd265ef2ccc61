"""Sixteen writers that pause, roll back and hold on: who follows the journal misses nothing, in order."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection, transaction
from tests.faults.conftest import Figures
from tests.index import world

from packhouse.index import startup
from packhouse.projects import actions
from packhouse.projects.ledger import Ledger
from packhouse.projects.models import JournalEntry

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 16
PAUSE = 0.05


class RolledBack(Exception):
    """This writer thinks better of it."""


class Follower(threading.Thread):
    """Asks for "everything since N" every five milliseconds, as a mirror that is never satisfied."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.005):
            self.look()
        self.look()
        connection.close()

    def look(self) -> None:
        last = self.seen[-1] if self.seen else 0
        self.seen += JournalEntry.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)


class Writer(threading.Thread):
    """Writes entries: 2 % are rolled back, 20 % of the others pause before the commit, with the serial in hand."""

    def __init__(self, number: int, count: int) -> None:
        super().__init__()
        self.chance = random.Random(number)
        self.project_id = world.create(f"serials-{number}").pk
        self.count = count
        self.slowest = 0.0

    def run(self) -> None:
        for _ in range(self.count):
            began = time.monotonic()
            with suppress(RolledBack), transaction.atomic():
                self.write()
            self.slowest = max(self.slowest, time.monotonic() - began)
        connection.close()

    def write(self) -> None:
        book = Ledger(None)
        book.note(actions.lock_project(self.project_id), "an entry")
        book.write()
        if self.chance.random() < 0.02:
            raise RolledBack
        if self.chance.random() < 0.2:
            time.sleep(PAUSE)


def hold(project_id: int, until: threading.Event) -> None:
    """A transaction that has locked its rows and takes its time before it asks for a serial: a long upload."""
    with transaction.atomic():
        book = Ledger(None)
        book.note(actions.lock_project(project_id), "held")
        until.wait()
        book.write()
    connection.close()


def test_a_follower_of_serials_misses_nothing_and_sees_them_in_order(
    often: Callable[[int, int], int], figures: Figures
) -> None:
    startup.make_ready()
    each = often(20, 300)
    writers = [Writer(number, each) for number in range(WRITERS)]
    held, release = world.create("held").pk, threading.Event()
    follower = Follower()
    holder = threading.Thread(target=hold, args=(held, release))
    threads = [follower, *writers]
    if connection.vendor == "postgresql":  # SQLite has one writer at a time: whoever holds, holds everybody
        threads.append(holder)
    for thread in threads:
        thread.start()
    for writer in writers:
        writer.join()
    release.set()
    if holder.is_alive():
        holder.join()
    follower.stopping.set()
    follower.join()

    committed = list(JournalEntry.objects.order_by("pk").values_list("pk", flat=True))
    assert follower.seen == sorted(set(follower.seen))
    assert follower.seen == committed
    assert len(committed) > 0.9 * WRITERS * each
    figures(serials=len(committed), missed=0, inversions=0, slowest=max(writer.slowest for writer in writers))
