"""What a process shows whose database has gone away before it could ask what had changed."""

import asyncio

import pytest
from django.db import connections
from tests.index import world

from packhouse import config
from packhouse.dataplane.store import DocumentStore, NotLoaded
from packhouse.documents import generation
from packhouse.documents import store as documents
from packhouse.documents.store import Unavailable
from packhouse.index import startup

pytestmark = pytest.mark.django_db(transaction=True)


async def page(store, key):
    """As the front door asks for it."""
    if not store.is_fresh():
        await store.sync()
    while True:
        try:
            return store.page(key, "json")
        except NotLoaded as missing:
            await store.load(missing.key)


def publish(project):
    world.publish(project, "2.0", "changed-2.0-py3-none-any.whl")
    connections.close_all()


def test_what_another_process_may_have_shown_newer_is_not_shown_any_more_and_the_rest_is(tmp_path):
    startup.make_ready()
    changed, resting = world.create("changed"), world.create("resting")
    for project in (changed, resting):
        world.publish(project, "1.0", f"{project.name}-1.0-py3-none-any.whl")
    settings = config.load()
    reader = documents.from_url(settings.database)
    told = []

    async def outage():
        store = DocumentStore(reader, generation.of(settings.home), tmp_path)
        store.listeners.append(told.append)
        before = await page(store, "simple/resting")
        await page(store, "simple/changed")
        await asyncio.to_thread(publish, changed)
        reader.close()  # its database is gone
        told.clear()
        assert await page(store, "simple/resting") is before
        with pytest.raises(Unavailable):
            await page(store, "simple/changed")

    asyncio.run(outage())
    assert any("simple/changed" in keys for keys in told)
