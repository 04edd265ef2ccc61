"""A large project changes and two thousand clients ask for it at once: its page is read once for all of them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from tests.faults.conftest import Figures
from tests.index import world

from packhouse import config
from packhouse.dataplane.page import Page
from packhouse.dataplane.store import DocumentStore, NotLoaded
from packhouse.documents import generation
from packhouse.documents import store as documents
from packhouse.index import startup
from packhouse.index.bulk import rebuild_projects
from packhouse.projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 2000


def test_a_hot_project_is_read_once_after_each_change_however_many_ask(
    tmp_path: Path, often: Callable[[int, int], int], rounds: Callable[[int, int], Iterator[int]], figures: Figures
) -> None:
    startup.make_ready()
    count = often(500, 5000)
    project = world.create("hot")
    world.fill(project, [(f"{number}.0", f"hot-{number}.0-py3-none-any.whl") for number in range(count)])
    rebuild_projects([project.pk])
    settings = config.load()
    reader = documents.from_url(settings.database)
    store = DocumentStore(reader, generation.of(settings.home), tmp_path)
    try:
        worst, readings = asyncio.run(_crowds(store, project, rounds(3, 50)))
    finally:
        reader.close()
    assert max(readings) <= 1
    figures(files=count, rounds=len(readings), clients=CLIENTS, most_reads_of_a_page=max(readings), slowest=worst)


async def _crowds(store: DocumentStore, project: Project, numbers: Iterator[int]) -> tuple[float, list[int]]:
    """The longest that a client waited, and how often the page was read from the database, for each round."""
    worst, readings = 0.0, []
    await asyncio.gather(_ask(store, ""))  # the cold start is the first round's
    for number in numbers:
        filename = f"hot-{number}.0.post1-py3-none-any.whl"
        await asyncio.to_thread(_publish, project, f"{number}.0.post1", filename)
        before = store.loads
        waited = await asyncio.gather(*[_ask(store, filename) for _ in range(CLIENTS)])
        worst = max(worst, *waited)
        readings.append(store.loads - before)
    return worst, readings


async def _ask(store: DocumentStore, filename: str) -> float:
    """What the front door does for one request; the page must show *filename*."""
    began = time.monotonic()
    if not store.is_fresh():
        await store.sync()
    while True:
        try:
            page = store.page("simple/hot", "json")
            break
        except NotLoaded as missing:
            await store.load(missing.key)
    assert isinstance(page, Page)
    assert filename.encode() in page.identity
    return time.monotonic() - began


def _publish(project: Project, version: str, filename: str) -> None:
    world.publish(project, version, filename)
    connections.close_all()
