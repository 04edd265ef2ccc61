"""Bodies on their way to Django: how much of them may lie on the disk."""

import asyncio
import errno
import time
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from packhouse.dataplane.bridge import Bridge, Limits, Refusal

SIZE = 100


async def arriving(*chunks):
    for chunk in chunks:
        yield chunk


@pytest.fixture
def bridge(tmp_path):
    return Bridge(lambda: None, public_url="http://h", spool=tmp_path / "spool", limits=Limits(body=SIZE))


async def receive(bridge, *chunks, length=SIZE):
    headers = {"content-length": str(length)}
    return await bridge.body(SimpleNamespace(headers=headers), arriving(*chunks))


def test_bodies_of_strangers_take_only_so_much_room(bridge):
    async def crowd():
        bodies = [await receive(bridge, b"x" * SIZE) for _ in range(16)]
        with pytest.raises(Refusal) as refused:
            await receive(bridge, b"x" * SIZE)
        assert (refused.value.status, refused.value.headers) == (503, (("retry-after", "10"),))
        bridge.release(bodies.pop())
        bodies.append(await receive(bridge, b"x" * 60, b"x" * 40))
        for body in bodies:
            assert body.read() == b"x" * SIZE
            bridge.release(body)

    asyncio.run(crowd())
    assert bridge.spooled == 0


@pytest.mark.parametrize(("chunks", "length", "status"), [([b"x" * 99], 100, 400), ([], 101, 413)])
def test_a_refused_body_leaves_nothing_behind(bridge, chunks, length, status):
    with pytest.raises(Refusal) as refused:
        asyncio.run(receive(bridge, *chunks, length=length))
    assert (refused.value.status, bridge.spooled) == (status, 0)


def test_django_is_loaded_once_however_many_requests_come_while_it_loads(tmp_path):
    loads = []

    def load():
        loads.append(1)
        time.sleep(0.05)

        def application(environ, start):
            start("204 No Content", [])
            return []

        return application

    bridge = Bridge(load, public_url="http://h", spool=tmp_path / "spool", threads=4)
    scope = SimpleNamespace(headers={}, method="GET", path="/", query_string="", client="127.0.0.1:1")

    async def crowd():
        bridge.warm()
        bodies = [await bridge.body(scope, arriving()) for _ in range(4)]
        answered = await asyncio.gather(*(bridge.call(scope, body, {}) for body in bodies))
        for body in bodies:
            bridge.release(body)
        return answered

    assert [answered.status for answered in asyncio.run(crowd())] == [204] * 4
    assert loads == [1]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OperationalError("server closed the connection"), 503),
        (OSError(errno.EIO, "disk"), 503),
        (OSError(errno.ENOSPC, "disk"), 507),
    ],
)
def test_an_outage_in_the_midst_of_an_answer_of_which_nothing_was_sent_is_told(tmp_path, error, status):
    closed = []

    class Body:
        def __iter__(self):
            yield b"<?xml"
            raise error

        def close(self):
            closed.append(1)

    def application(environ, start):
        start("200 OK", [])
        return Body()

    bridge = Bridge(lambda: application, public_url="http://h", spool=tmp_path / "spool")
    scope = SimpleNamespace(headers={}, method="GET", path="/", query_string="", client="127.0.0.1:1")

    async def ask():
        return await bridge.call(scope, await bridge.body(scope, arriving()), {})

    with pytest.raises(Refusal) as refused:
        asyncio.run(ask())
    assert (refused.value.status, refused.value.headers) == (status, (("retry-after", "10"),))
    assert closed == [1]
