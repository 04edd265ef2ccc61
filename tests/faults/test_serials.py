"""Sixteen writers that pause, roll back, hold on and lose their connections: who follows the journal misses nothing."""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import InterfaceError, OperationalError, connection, transaction
from tests.faults.conftest import MINUTES, Figures
from tests.index import world

from packhouse.index import startup
from packhouse.projects import actions
from packhouse.projects.ledger import Ledger
from packhouse.projects.models import JournalEntry

pytestmark = pytest.mark.django_db(transaction=True)

WRITERS = 16
PAUSE = 0.05
CUTS = 3
"""How often PostgreSQL ends all sessions meanwhile, as when it restarts."""


class RolledBack(Exception):
    """This writer thinks better of it."""


@contextmanager
def surviving(lost: list[Exception]) -> Iterator[None]:
    """What loses its connection is given up, and noted."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        lost.append(error)
        connection.close()


class Follower(threading.Thread):
    """Asks for "everything since N" every five milliseconds, as a mirror that is never satisfied."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.lost: list[Exception] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(0.005):
            with surviving(self.lost):
                self.look()
        self.look()
        connection.close()

    def look(self) -> None:
        last = self.seen[-1] if self.seen else 0
        self.seen += JournalEntry.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)


class Writer(threading.Thread):
    """Writes entries: 2 % are rolled back, 20 % of the others pause before the commit, with the serial in hand."""

    def __init__(self, number: int, count: int, ends: float) -> None:
        super().__init__()
        self.chance = random.Random(number)
        self.project_id = world.create(f"serials-{number}").pk
        self.count, self.ends, self.tried = count, ends, 0
        self.lost: list[Exception] = []
        self.slowest = 0.0

    def run(self) -> None:
        while self.tried < self.count and time.monotonic() < self.ends:
            began = time.monotonic()
            self.tried += 1
            with surviving(self.lost), suppress(RolledBack), transaction.atomic():
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


class Holder(threading.Thread):
    """A transaction that has locked its rows and takes its time before it asks for a serial: a long upload."""

    def __init__(self, project_id: int) -> None:
        super().__init__()
        self.project_id = project_id
        self.backend = 0
        self.holds, self.release = threading.Event(), threading.Event()

    def run(self) -> None:
        with transaction.atomic():
            book = Ledger(None)
            book.note(actions.lock_project(self.project_id), "held")
            self.backend = connection.connection.info.backend_pid
            self.holds.set()
            self.release.wait()
            book.write()
        connection.close()


def cut_sessions(spared: int) -> None:
    """PostgreSQL ends all sessions but this one and that of *spared*, whatever they are at."""
    others = "datname = current_database() AND pid NOT IN (pg_backend_pid(), %s)"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}", [spared])


def cut_while(writers: list[Writer], goals: list[int], spared: int) -> int:
    """Wait for all *writers*, and cut all sessions when they have made so many tries; returns how often."""
    cuts = 0
    while any(writer.is_alive() for writer in writers):
        time.sleep(0.02)
        if cuts < len(goals) and sum(writer.tried for writer in writers) >= goals[cuts]:
            cut_sessions(spared)
            cuts += 1
    return cuts


def test_a_follower_of_serials_misses_nothing_and_sees_them_in_order(
    often: Callable[[int, int], int], figures: Figures
) -> None:
    startup.make_ready()
    each, ends = often(20, 3200), time.monotonic() + (60 * MINUTES or math.inf)
    writers = [Writer(number, each, ends) for number in range(WRITERS)]
    follower, holder, goals = Follower(), Holder(world.create("held").pk), list[int]()
    if connection.vendor == "postgresql":  # SQLite has one writer at a time: whoever holds, holds everybody
        holder.start()
        assert holder.holds.wait(60)
        goals = [WRITERS * each * number // (CUTS + 1) for number in range(1, CUTS + 1)]
    for thread in (follower, *writers):
        thread.start()
    cuts = cut_while(writers, goals, holder.backend)
    if holder.is_alive():
        holder.release.set()
        holder.join()
    follower.stopping.set()
    follower.join()

    committed = list(JournalEntry.objects.order_by("pk").values_list("pk", flat=True))
    tried, lost = sum(writer.tried for writer in writers), sum(len(writer.lost) for writer in writers)
    assert follower.seen == sorted(set(follower.seen))
    assert follower.seen == committed
    assert len(committed) > 0.9 * (tried - lost)
    assert lost <= cuts * WRITERS
    assert len(follower.lost) <= cuts
    slowest = max(writer.slowest for writer in writers)
    figures(serials=len(committed), missed=0, inversions=0, cuts=cuts, lost=lost, slowest=slowest)
