"""Project pages that the front door remembers for a moment: for whom, until when, and which never.

In front of the live, filled index's documents; in Django's place stands something that counts how often it is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import pytest
from tests.builders import make_wheel
from tests.protocol import shelf
from tests.protocol.conftest import ENVIRONMENT
from tests.servers import packhouse

from packhouse.dataplane import memo
from packhouse.dataplane.bridge import Answered

PAGE = "/project/Demo.Pkg/"
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "public, max-age=0",
    "surrogate-key": "project/demo-pkg all-html",
    "vary": "Accept-Language, Packhouse-Language",
    "etag": '"made"',
}
versions = count(1)


class Maker:
    """Answers as Django would, each time with another body; ``meanwhile`` happens while the page is made."""

    def __init__(self) -> None:
        self.status, self.headers = 200, dict(HEADERS)
        self.made = 0
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def body(self, scope, proto):
        return None

    def release(self, body):
        return None

    async def call(self, scope, body, extra):
        self.made += 1
        if self.meanwhile:
            await self.meanwhile()
        return Answered(self.status, "", [*self.headers.items()], f"page {self.made}".encode())


@pytest.fixture(scope="module")
def index(tmp_path_factory, new_database) -> Iterator[packhouse.Running]:
    """An index of its own: what is published here must not show in that of others."""
    home = tmp_path_factory.mktemp("remembered") / "home"
    with packhouse.running(home, database=new_database("remembered"), env=ENVIRONMENT) as running:
        yield running


@pytest.fixture(scope="module")
def filled(index):
    return shelf.fill(index)


@pytest.fixture
def door(in_process, monkeypatch):
    """The front door; its time stands still, however long the machine takes."""
    monkeypatch.setattr(memo, "monotonic", lambda: 1000.0)
    door = in_process()
    door.maker = door.door.bridge = Maker()
    return door


@pytest.fixture
def in_process(in_process):
    """A front door that can be given a maker."""

    def make():
        inner = in_process()

        class Door:
            door = inner.door
            get, ask = staticmethod(inner.get), staticmethod(inner.ask)

        return Door()

    return make


@pytest.fixture
def publish(index, filled):
    def publish():
        version = f"6.{next(versions)}"
        shelf.send(index.url, filled.token, make_wheel("Demo.Pkg", version), name="Demo.Pkg", version=version)

    return publish


def test_a_page_is_made_once_for_all_who_ask_at_that_moment(door):
    first = door.get(PAGE)
    again = door.get(PAGE, cookie="session=of-somebody; personal=1; theme=dark")
    head = door.get(PAGE, method="HEAD")
    assert first.body == again.body == b"page 1"
    assert {name: again[name] for name in HEADERS} == HEADERS
    assert (head.status, head.body, head["content-length"]) == (200, b"", "6")
    assert again["x-content-type-options"] == "nosniff"
    unchanged = door.get(PAGE, if_none_match='"made"')
    assert (unchanged.status, unchanged.body, unchanged["etag"]) == (304, b"", '"made"')
    assert door.maker.made == 1


def test_a_page_that_has_stood_for_a_second_is_made_anew_by_one_while_others_get_it(door, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(memo, "monotonic", lambda: now)
    door.get(PAGE)
    now += memo.KEPT
    assert door.get(PAGE).body == b"page 1"
    now += 0.1
    meanwhile = []

    async def ask_meanwhile():
        door.maker.meanwhile = None
        meanwhile.append(await door.ask(PAGE))

    door.maker.meanwhile = ask_meanwhile
    assert door.get(PAGE).body == b"page 2"
    assert [answer.body for answer in meanwhile] == [b"page 1"]
    assert door.get(PAGE).body == b"page 2"


@pytest.mark.parametrize(
    "other",
    [
        {"query": "page=2"},
        {"accept_language": "de"},
        {"packhouse_language": "de"},
        {"cookie": "locale=de"},
        {"cookie": "theme=dark; locale=de"},
        {"cookie": "theme=dark;locale =de"},
        {"cookie": 'a="x;locale=de"'},
        {"cookie": "xlocale=de"},
        {"authorization": "Bearer x"},
        {"range": "bytes=0-1"},
        {"if_match": '"x"'},
    ],
    ids=str,
)
def test_what_may_make_another_page_gets_one_of_its_own(door, other):
    assert door.get(PAGE).body == b"page 1"
    assert door.get(PAGE, **other).body == b"page 2"
    assert door.get(PAGE).body == b"page 1"


@pytest.mark.parametrize(
    "change",
    [
        {"cache-control": "private, no-store"},
        {"set-cookie": "session=x"},
        {"vary": "Accept-Language, Cookie"},
        {"vary": "*"},
        {"surrogate-key": "user/ada all-html"},
        {"surrogate-key": "project/demo-pkg project/other all-html"},
        {"surrogate-key": "project/demo-pkg"},
        {"content-length": "6", "status": "404"},
        {"status": "500"},
        {"status": "301"},
    ],
    ids=str,
)
def test_what_is_not_for_everybody_is_not_remembered(door, change):
    door.maker.status = int(change.pop("status", 200)) if "status" in change else 200
    door.maker.headers |= {name: value for name, value in change.items() if name != "status"}
    for number in (1, 2):
        assert door.get(PAGE).body == f"page {number}".encode()


def test_a_page_is_forgotten_with_its_project_and_with_no_other(door, publish, index, filled, monkeypatch):
    monkeypatch.setattr("packhouse.dataplane.memo.KEPT", 3600.0)  # however long the upload takes
    door.get(PAGE)
    other = f"bystander{next(versions)}"
    shelf.send(index.url, filled.token, make_wheel(other, "1"), name=other, version="1")
    assert door.get(PAGE).body == b"page 1"
    publish()
    assert door.get(PAGE).body == b"page 2"


def test_a_page_that_was_begun_before_a_change_is_not_remembered_after_it(door, publish):
    async def publish_meanwhile():
        door.maker.meanwhile = None
        await asyncio.to_thread(publish)

    door.maker.meanwhile = publish_meanwhile
    assert door.get(PAGE).body == b"page 1"
    assert door.get(PAGE).body == b"page 2"
    assert door.get(PAGE).body == b"page 2"


def test_pages_take_no_more_memory_than_they_may(door):
    door.door.memo.capacity = 10_000
    for number in range(20):
        door.get(PAGE, query=f"page={number}")
    assert door.door.memo.size <= 10_000
    door.door.memo.forget(None)
    assert door.door.memo.size == 0
    assert not door.door.memo._by_subject
