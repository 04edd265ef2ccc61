"""The mark that all processes of a machine share, and the keys of what has changed behind it."""

import multiprocessing
import random
import threading

import pytest

from packhouse.documents.generation import Generation

MOST = 128 * 1024
"""Bytes of keys that a reader may be behind."""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "generation"


def test_the_mark_moves_whether_or_not_keys_are_told(path):
    writer, reader = Generation(path), Generation(path)
    marks = [reader.read()]
    writer.bump()
    marks.append(reader.read())
    writer.bump("simple/a")
    marks.append(reader.read())
    assert len(set(marks)) == 3


def test_another_process_reads_the_keys_in_order_and_each_once(path):
    writer, reader = Generation(path), Generation(path)
    began = reader.told()
    writer.bump("simple/a", "project/a")
    writer.bump()
    writer.bump("release/ü/1.0")
    keys, end = reader.told_since(began)
    assert keys == ["simple/a", "project/a", "release/ü/1.0"]
    assert reader.told_since(end) == ([], end)


def test_keys_go_round_and_too_many_are_told_as_such(path):
    writer, reader = Generation(path), Generation(path)
    chance, place = random.Random("keys"), reader.told()
    for number in range(3000):
        told = [f"simple/{'x' * chance.randrange(200)}-{number}-{part}" for part in range(4)]
        writer.bump(*told)
        keys, place = reader.told_since(place)
        assert keys == told
    few = [f"simple/{number:08}" for number in range(MOST // 16)]
    for key in few:
        writer.bump(key)
    assert reader.told_since(place)[0] == few
    writer.bump("simple/z")
    assert reader.told_since(place)[0] is None


def test_too_many_keys_at_once_are_told_as_such_and_the_next_are_read(path):
    writer, reader = Generation(path), Generation(path)
    for times in (1, 4):
        began = reader.told()
        writer.bump(*[f"simple/{number:08}" for number in range(times * MOST // 16 + 1)])
        keys, end = reader.told_since(began)
        assert keys is None
        writer.bump("simple/next")
        assert reader.told_since(end)[0] == ["simple/next"]


def test_who_looks_again_after_an_upgrade_finds_the_room_that_is_missing(path):
    path.parent.mkdir()
    path.write_bytes(b"12345678")
    assert Generation(path).read() == b"12345678"
    assert path.stat().st_size > 2 * MOST


def tell(path, name):
    generation = Generation(path)

    def some(thread):
        for number in range(50):
            generation.bump(f"simple/{name}-{thread}-{number}")

    threads = [threading.Thread(target=some, args=(thread,)) for thread in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_and_processes_that_tell_at_once_lose_nothing(path):
    reader = Generation(path)
    began = reader.told()
    processes = [multiprocessing.get_context("fork").Process(target=tell, args=(path, name)) for name in "abcd"]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    keys, _ = reader.told_since(began)
    expected = {f"simple/{name}-{thread}-{number}" for name in "abcd" for thread in range(3) for number in range(50)}
    assert keys is not None
    assert (len(keys), set(keys)) == (600, expected)
