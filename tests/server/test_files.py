"""Files on their way through the kernel."""

import asyncio
import gc
import os
from pathlib import Path

import pytest
from tests.server.harness import Application, Client, get, serve

from packhouse.server.sending import Sealed, seal

SIZE = 20_000_000


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1000) * (SIZE // 1000))
    return path


def served(path, *requests: bytes, part: tuple[int, int] | None = None, after=None) -> bytes:
    """What is answered to *requests* by the file at *path*; *after* is called between head and body."""

    async def answer(turn):
        if turn.path == "/text":
            turn.response_bytes(200, [], b"text")
        elif part is not None:
            turn.response_file_range(206, [], str(path), *part)
        else:
            turn.response_file(200, [], str(path))

    said = []

    async def talk(client: Client):
        said.append(await client.say(*requests))

    serve(Application(answer), talk)
    return said[0]


def test_a_file_comes_whole_between_other_answers(file):
    said = served(file, get("/text") + get("/file") + get("/text", "Connection: close"))
    assert said.count(file.read_bytes()) == 1
    assert said.index(b"text") < said.index(file.read_bytes()) < said.rindex(b"text")
    assert f"content-length: {SIZE}\r\n".encode() in said


def test_a_part_of_a_file_is_that_part(file):
    said = served(file, get("/", "Connection: close"), part=(1_999_999, 9_000_001))
    assert said.partition(b"\r\n\r\n")[2] == file.read_bytes()[1_999_999:9_000_001]


def test_head_tells_a_files_length_and_an_empty_file_ends(file, tmp_path):
    said = served(file, get("/", "Connection: close", method="HEAD"))
    assert f"content-length: {SIZE}\r\n".encode() in said
    assert said.endswith(b"\r\n\r\n")
    (tmp_path / "empty").touch()
    assert b"content-length: 0\r\n" in served(tmp_path / "empty", get("/", "Connection: close"))


def test_a_file_that_is_shorter_than_was_said_ends_the_connection(file):
    said = served(file, get("/") + get("/text"), part=(SIZE - 1000, SIZE + 5_000_000))
    assert said.partition(b"\r\n\r\n")[2] == file.read_bytes()[-1000:]


def test_who_takes_nothing_is_cut_off_and_who_takes_little_is_not(file):
    async def answer(turn):
        turn.response_file(200, [], str(file))

    async def talk(client: Client):
        (_, stuck), (reader, slow) = await client.connect(limit=1024), await client.connect(limit=1024)
        for writer in (stuck, slow):
            writer.write(get("/", "Connection: close"))
        taken = 0
        for _ in range(6):
            await client.pause()
            client.pass_time(30)
            for _ in range(30):
                taken += len(await reader.read(100_000))
        assert taken < SIZE
        while more := await reader.read(1 << 20):
            taken += len(more)
        assert taken > SIZE
        stuck_reader = stuck.transport.get_protocol()._stream_reader
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await stuck_reader.readexactly(SIZE)

    serve(Application(answer), talk, head_seconds=10, send_seconds=60)


def test_where_nothing_more_may_be_opened_the_client_is_told_to_come_again(file, monkeypatch):
    def full(_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "dup", full)
    said = served(file, get("/"))
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 2\r\n" in said


def test_all_descriptors_are_closed_in_the_end(file):
    async def answer(turn):
        turn.response_file(200, [], str(file))

    async def talk(client: Client):
        for _ in range(5):
            reader, writer = await client.connect()
            writer.write(get())
            await reader.readexactly(1000)
            writer.transport.abort()
        while client.server._connections:
            await client.pause()
        await asyncio.to_thread(client.server.threads.shutdown)  # one may still be reading for a client who is gone

    def left_open() -> int:
        serve(Application(answer), talk)
        return len(list(Path("/proc/self/fd").iterdir()))

    first = left_open()  # the loop's library keeps two for the whole process
    assert left_open() <= first


@pytest.mark.parametrize("size", [40_000, 1_500_000, 3_000_000, SIZE])
def test_what_is_sealed_in_memory_comes_whole_between_other_answers(size):
    data = os.urandom(1000) * (size // 1000)
    sealed = seal(data)
    assert isinstance(sealed, Sealed)

    async def answer(turn):
        turn.response_bytes(200, [], b"text" if turn.path == "/text" else sealed)

    said = []

    async def talk(client: Client):
        requests = get("/text") + get() + get() + get(method="HEAD") + get("/text", "Connection: close")
        said.append(await client.say(requests))

    serve(Application(answer), talk)
    assert said[0].count(data) == 2
    assert said[0].count(b"text") == 2
    assert said[0].count(f"content-length: {size}\r\n".encode()) == 3


def test_what_was_sealed_is_sent_to_its_end_after_it_was_let_go():
    data = os.urandom(1000) * 5000
    before = len(list(Path("/proc/self/fd").iterdir()))

    async def answer(turn):
        turn.response_bytes(200, [], Sealed(data))

    async def talk(client: Client):
        reader, writer = await client.connect(limit=1024)
        writer.write(get("/", "Connection: close"))
        await client.pause(30)
        gc.collect()
        assert (await reader.read()).endswith(data)

    serve(Application(answer), talk)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_short_bytes_and_those_for_which_there_is_no_room_are_not_sealed(monkeypatch):
    assert seal(b"short") == b"short"

    def full(_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", full)
    data = bytes(100_000)
    assert seal(data) is data


def test_a_part_of_what_is_sealed_is_that_part():
    data = os.urandom(100_000)
    assert Sealed(data)[500:70_000] == data[500:70_000]
    assert Sealed(data)[:] == data
