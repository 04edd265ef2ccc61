"""The promise: after an upload's 200 the next read sees it, whoever answers; never an older page after a newer one."""

import asyncio
import gzip
import json
import re
import threading
import time

import pytest
from tests.builders import make_wheel
from tests.protocol import shelf, wire
from tests.protocol.test_simple import V1_JSON
from tests.servers import packhouse

from packhouse.dataplane import large
from packhouse.dataplane import store as stores
from packhouse.dataplane.large import LargePage


@pytest.fixture(scope="module")
def pair(tmp_path_factory, new_database):
    """A live index of two processes, and the token of the owner of what is in it."""
    home = tmp_path_factory.mktemp("pair") / "home"
    with packhouse.running(home, database=new_database("pair"), workers=2) as running:
        yield running, shelf.fill(running).token


def serial(url, path="/simple/demo-pkg/"):
    return int(wire.ask(url, path, Accept=V1_JSON)["X-PyPI-Last-Serial"])


def test_every_process_shows_an_upload_as_soon_as_it_is_acknowledged(pair):
    index, token = pair
    for number in range(3):
        for _ in range(10):
            serial(index.url)  # both processes have the page in memory
        version = f"3.{number}"
        shelf.send(index.url, token, make_wheel("Demo.Pkg", version), name="Demo.Pkg", version=version)
        pages = [json.loads(wire.ask(index.url, "/simple/demo-pkg/", Accept=V1_JSON).body) for _ in range(40)]
        assert all(version in page["versions"] for page in pages)
        assert len({page["meta"]["_last-serial"] for page in pages}) == 1
        documents = [json.loads(wire.ask(index.url, "/pypi/demo-pkg/json").body) for _ in range(10)]
        assert all(version in document["releases"] for document in documents)
        assert wire.ask(index.url, f"/pypi/demo-pkg/{version}/json").status == 200


def test_every_process_shows_an_upload_on_the_project_s_page(pair):
    index, token = pair
    for number in range(3):
        for _ in range(10):
            assert wire.ask(index.url, "/project/Demo.Pkg/").status == 200  # both processes remember it for a moment
        version = f"5.{number}"
        shelf.send(index.url, token, make_wheel("Demo.Pkg", version), name="Demo.Pkg", version=version)
        pages = [wire.ask(index.url, "/project/Demo.Pkg/").body for _ in range(20)]
        assert all(version.encode() in page for page in pages)


def test_a_page_that_was_missing_appears_with_the_first_upload(pair):
    index, token = pair
    assert {wire.ask(index.url, "/simple/newcomer/").status for _ in range(20)} == {404}
    shelf.send(index.url, token, make_wheel("newcomer", "1.0"), name="newcomer")
    assert {wire.ask(index.url, "/simple/newcomer/").status for _ in range(20)} == {200}
    assert all(b">newcomer<" in wire.ask(index.url, "/simple/").body for _ in range(20))


def test_pages_never_grow_older_while_uploads_come_in(pair):
    index, token = pair
    ended = threading.Event()

    def upload():
        for number in range(8):
            shelf.send(index.url, token, make_wheel("newcomer", f"2.{number}"), name="newcomer", version=f"2.{number}")
        ended.set()

    writer = threading.Thread(target=upload)
    writer.start()
    seen = [0]
    while not ended.is_set() or len(seen) < 20:
        seen.append(serial(index.url, "/simple/newcomer/"))
        seen.append(serial(index.url, "/simple/"))
        assert seen[-2] <= seen[-1]
    writer.join()
    assert seen[1::2] == sorted(seen[1::2])
    assert seen[2::2] == sorted(seen[2::2])


def test_a_file_in_quarantine_is_withheld_with_the_next_request_though_it_was_given_a_moment_ago(pair):
    index, token = pair
    shelf.send(index.url, token, make_wheel("suspect", "1.0"), name="suspect")
    url = json.loads(wire.ask(index.url, "/simple/suspect/", Accept=V1_JSON).body)["files"][0]["url"]
    path = url[url.index("/packages/") :]

    def statuses():
        """Of several in a row over each connection: a process remembers what it is asked again in the same bytes."""
        found = set()
        for _ in range(10):
            with wire.Connection(index.url, wire.PATIENCE) as connection:
                for _ in range(4):
                    connection.try_send(wire.head_of("GET", path, {}))
                    found.add(connection.answer().status)
        return found

    assert statuses() == {200}
    shelf.run(index, "tests.protocol.status", "suspect", "quarantined")
    assert statuses() == {403}
    shelf.run(index, "tests.protocol.status", "suspect", "active")
    assert statuses() == {200}
    shelf.run(index, "tests.protocol.status", "suspect", "quarantined")
    shelf.run(index, "tests.protocol.status", "suspect", "deleted")
    until = time.monotonic() + wire.PATIENCE
    while (found := statuses()) != {404}:
        assert found <= {403, 404}
        assert time.monotonic() < until
    assert list(index.home.rglob("suspect-1.0*")) == []


def test_a_change_whose_writer_was_killed_before_it_could_tell_shows_all_the_same(pair):
    index, _ = pair
    before = wire.ask(index.url, "/simple/old-tool/")
    assert b"data-yanked" not in before.body
    with pytest.raises(AssertionError):
        shelf.run(index, "tests.protocol.silent", "old-tool")
    shown, until = 0, time.monotonic() + wire.PATIENCE
    while shown < 20:  # in a row, so that each process is asked; on a machine with nothing else to do, within a second
        page = wire.ask(index.url, "/simple/old-tool/")
        shown = shown + 1 if b'data-yanked="silently"' in page.body else 0
        assert time.monotonic() < until


@pytest.fixture(scope="module")
def crowded(pair):
    """The same index with a project of 6,000 files and 600 more projects."""
    shelf.run(pair[0], "tests.protocol.bulk", "crowded", "6000", "600")
    return pair


def test_a_large_project_asked_for_by_everybody_at_once_is_loaded_once(crowded, in_process):
    door = in_process(on=crowded[0])
    door.get("/_health/")
    store = door.door.store

    async def crowd():
        await store.sync()
        await store._warming
        before = store.loads
        answers = await asyncio.gather(*(door.ask("/simple/crowded/", accept_encoding="gzip") for _ in range(200)))
        return answers, store.loads - before

    answers, loads = door.runner.run(crowd())
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert gzip.decompress(answers[0].body).count(b"<a href=") == 6000
    assert loads == 1


def test_a_large_index_is_ready_before_anybody_asks_for_it(crowded, in_process, monkeypatch):
    monkeypatch.setattr(stores, "LARGE", 100)
    door = in_process(on=crowded[0])
    store = door.door.store

    async def start():
        await store.sync()
        await store._warming
        loads = store.loads
        for accept in (V1_JSON, "text/html"):
            answer = await door.ask("/simple/", accept=accept, accept_encoding="gzip")
            assert b"crowded" in gzip.decompress(answer.body)
        assert store.loads == loads == 3  # with the list of what is withheld

    door.runner.run(start())


def test_a_small_index_is_read_when_somebody_asks_for_it(crowded, in_process):
    door = in_process(on=crowded[0])
    store = door.door.store

    async def start():
        await store.sync()
        await store._warming

    door.runner.run(start())
    assert store.loads == 1  # the list of what is withheld


def test_what_is_withheld_stays_in_memory_when_memory_is_short(crowded, in_process):
    door = in_process(on=crowded[0])
    store = door.door.store
    path = re.search(rb"/packages/[^\"#]+", door.get("/simple/crowded/").body)[0].decode()

    async def short_of_memory():
        await store._warming
        store.capacity = 1
        await door.ask("/simple/crowded/")
        await door.ask("/simple/")

    door.runner.run(short_of_memory())
    loads = store.loads
    assert door.get(path).status == 404  # no file here has bytes
    assert store.loads == loads


async def _until_it_lists(door, name, accept):
    """Ask for the index until it lists *name*; returns all answers, of which the last one does."""
    answers = [await door.ask("/simple/", accept=accept)]
    until = time.monotonic() + wire.PATIENCE
    while f"/{name}/".encode() not in answers[-1].body and f'"{name}"'.encode() not in answers[-1].body:
        assert time.monotonic() < until
        await asyncio.sleep(0.005)
        answers.append(await door.ask("/simple/", accept=accept))
    return answers


def test_a_large_index_is_served_from_a_file_and_renewed_by_itself(crowded, in_process, monkeypatch):
    monkeypatch.setattr(stores, "LARGE", 100)
    index, token = crowded
    door = in_process(on=index)

    async def watch():
        plain = await door.ask("/simple/", accept=V1_JSON)
        packed = await door.ask("/simple/", accept=V1_JSON, accept_encoding="gzip, zstd")
        assert isinstance(door.door.store.page("index", "json"), LargePage)
        assert dict(packed.headers)["content-encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert plain["ETag"] != packed["ETag"]
        part = await door.ask("/simple/", accept=V1_JSON, range="bytes=5-9")
        assert (part.status, part.body) == (206, plain.body[5:10])
        same = await door.ask("/simple/", accept=V1_JSON, if_none_match=plain["ETag"])
        assert (same.status, same.body) == (304, b"")
        seen = [int(plain["X-PyPI-Last-Serial"])]
        for number in range(3):
            name = f"renewal-{number}-{seen[0]}"
            await asyncio.to_thread(shelf.send, index.url, token, make_wheel(name, "1.0"), name=name)
            passed = await _until_it_lists(door, name, V1_JSON)
            answer = passed[-1]
            seen += [int(step["X-PyPI-Last-Serial"]) for step in passed]
            packed = await door.ask("/simple/", accept=V1_JSON, accept_encoding="gzip")
            assert gzip.decompress(packed.body) == answer.body
            assert json.loads(answer.body)["meta"]["_last-serial"] == seen[-1]
        assert seen == sorted(seen)
        await _until_it_lists(door, name, "text/html")

    door.runner.run(watch())
    of_the_dead = index.home / "cache" / "4194305-1-1.gz"
    of_the_dead.write_bytes(b"")
    large.sweep(index.home / "cache")
    assert not of_the_dead.exists()
    html = door.get("/simple/", accept_encoding="gzip")
    assert gzip.decompress(html.body) == door.get("/simple/").body == wire.ask(index.url, "/simple/").body
