"""Reading archives in a process of their own: the same answers, bounded cost, nothing left behind."""

import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

import pytest
from tests.builders import TarMember, gz_repeated, make_sdist, make_wheel
from tests.builders.tarbytes import header
from tests.specs.archives.cases import inspected, refused

from packhouse.specs.archives.inspector import Inspector, InspectorUnavailable, environment
from packhouse.specs.archives.limits import MIB, Limits
from packhouse.specs.errors import Refused

GOOD = make_wheel(sboms={"a.cdx.json": b"{}"}, licenses={"LICENSE": b"MIT"}, record="demo/__init__.py,,\n")


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    with Inspector() as running:
        yield running


def spooled(data: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115  each test closes it, or its end does
    file.write(data)
    file.flush()
    return file


def look(inspector: Inspector, distribution: tuple[str, bytes], *license_files: str, publisher: str = ""):
    filename, data = distribution
    packagetype = "bdist_wheel" if filename.endswith(".whl") else "sdist"
    with spooled(data) as file:
        return inspector.inspect(file, filename, packagetype, license_files=license_files, publisher=publisher)


def descendants(pid: int) -> list[int]:
    """The processes whose parent is this one, also ended ones that nobody collected."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def open_descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def server_of(inspector: Inspector) -> int:
    return inspector._server._process.pid


@pytest.mark.parametrize("distribution", [GOOD, make_sdist(licenses={"LICENSE": b"MIT"})], ids=["wheel", "sdist"])
def test_the_answer_is_the_one_that_inspect_gives_here(inspector, distribution):
    assert look(inspector, distribution, "LICENSE", "x") == inspected(distribution, "LICENSE", "x")


@pytest.mark.parametrize("distribution", [make_wheel(without=["WHEEL"]), make_sdist(without=("PKG-INFO",))])
def test_a_refusal_is_the_one_that_inspect_gives_here(inspector, distribution):
    assert refused(look, inspector, distribution) == refused(inspected, distribution)


@pytest.mark.parametrize("algorithm", ["sha384", "sha3_256", "blake2b"])
def test_all_hashes_can_be_computed_within_the_limits(inspector, algorithm):
    found = look(inspector, make_wheel(files={"demo.py": b""}, record=f"demo.py,{algorithm}=x,0\n"))
    assert found.mismatches[0].problem == "differs from its hash in RECORD"


def test_the_offset_of_the_file_stays_where_it_is(inspector):
    with spooled(GOOD[1]) as file:
        file.seek(7)
        inspector.inspect(file, GOOD[0], "bdist_wheel")
        assert file.tell() == 7


def test_bytes_that_are_still_in_the_buffer_count(inspector):
    with tempfile.TemporaryFile() as file:
        file.write(GOOD[1])
        assert inspector.inspect(file, GOOD[0], "bdist_wheel").member_count == 6


def test_a_file_without_a_descriptor_is_an_error_of_the_caller(inspector):
    with pytest.raises(io.UnsupportedOperation):
        inspector.inspect(io.BytesIO(GOOD[1]), GOOD[0], "bdist_wheel")


def test_many_threads_share_one_inspector_and_leave_nothing_behind(inspector):
    look(inspector, GOOD)
    server = server_of(inspector)
    before = open_descriptors(os.getpid()), open_descriptors(server)
    wheels = [make_wheel(version=str(number)) for number in range(60)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda wheel: look(inspector, wheel), wheels))
    assert [one.root for one in found] == [f"demo-{number}.dist-info" for number in range(60)]
    wait_until(lambda: descendants(server) == [])
    assert (open_descriptors(os.getpid()), open_descriptors(server)) == before


def test_one_process_reads_what_one_publisher_sends_and_nothing_else():
    with Inspector() as inspector:
        readers = []
        for publisher in ("ada", "ada", "grace", "ada", "grace", ""):
            assert look(inspector, GOOD, publisher=publisher).root == "demo-1.0.dist-info"
            wait_until(lambda: len(descendants(server_of(inspector))) <= 2)
            readers.append(set(descendants(server_of(inspector))))
        assert readers[0] == readers[1] < readers[2] == readers[3] == readers[4] == readers[5]
        look(inspector, GOOD, publisher="third")  # ada's has waited longest
        wait_until(lambda: len(descendants(server_of(inspector))) == 2)
        assert len(readers[2] & set(descendants(server_of(inspector)))) == 1


def test_a_process_reads_so_many_archives_and_no_more(monkeypatch):
    monkeypatch.setattr("packhouse.specs.archives.inspector.MOST_JOBS", 3)
    with Inspector() as inspector:
        seen = set()
        for number in range(9):
            look(inspector, make_wheel(version=str(number)), publisher="ada")
            seen |= set(descendants(server_of(inspector)))
        assert len(seen) == 3


def test_a_reader_that_is_gone_is_replaced_and_one_that_nobody_asks_goes():
    with Inspector() as inspector:
        look(inspector, GOOD, publisher="ada")
        (reader,) = descendants(server_of(inspector))
        os.kill(reader, signal.SIGALRM)  # as its timer does
        wait_until(lambda: descendants(server_of(inspector)) == [])
        assert look(inspector, GOOD, publisher="ada").root == "demo-1.0.dist-info"


def test_a_reader_that_took_much_memory_reads_no_more():
    with Inspector(limits=Limits(**GENEROUS)) as inspector:
        look(inspector, GOOD, publisher="ada")
        first = descendants(server_of(inspector))
        with suppress(Refused):
            look(inspector, make_sdist(metadata=b" " * (80 * MIB)), publisher="ada")
        wait_until(lambda: descendants(server_of(inspector)) == [])
        look(inspector, GOOD, publisher="ada")
        assert descendants(server_of(inspector)) != first


def test_a_reader_has_its_socket_open_and_room_for_an_archive():
    with Inspector() as inspector:
        look(inspector, GOOD, publisher="ada")
        (reader,) = descendants(server_of(inspector))
        assert re.search(r"Max open files +5 +5 ", Path(f"/proc/{reader}/limits").read_text())
        assert open_descriptors(reader) == 4


def wait_until(true, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


LONG = "demo-1.0.tar.gz", gz_repeated(header(TarMember("demo-1.0/zeros", size=8**11 - 1)), bytes(MIB), 8000)
LARGE = make_sdist(metadata=b" " * (40 * MIB))


GENEROUS = {"ratio": 10**6, "metadata": 10**9, "unpacked": 10**12}


@pytest.mark.parametrize(
    ("limits", "bad"),
    [
        (Limits(**GENEROUS, memory=48 * MIB), LARGE),
        (Limits(**GENEROUS, cpu_seconds=1), LONG),
    ],
    ids=["memory", "processor time"],
)
@pytest.mark.parametrize("publisher", ["", "ada"])
def test_an_archive_that_costs_too_much_is_refused_and_the_next_one_read(limits, bad, publisher):
    with Inspector(limits=limits) as inspector:
        assert look(inspector, make_sdist(), publisher=publisher).root == "demo-1.0"
        assert refused(partial(look, publisher=publisher), inspector, bad) == "archive-too-costly"
        assert look(inspector, make_sdist(), publisher=publisher).root == "demo-1.0"


def test_an_archive_that_is_not_read_in_time_is_not_blamed_and_its_job_ends():
    with Inspector(limits=Limits(**GENEROUS, cpu_seconds=600, wall_seconds=1)) as inspector:
        with pytest.raises(InspectorUnavailable, match="in time"):
            look(inspector, LONG)
        wait_until(lambda: descendants(server_of(inspector)) == [])


def test_a_server_that_died_is_replaced():
    with Inspector() as inspector:
        look(inspector, GOOD)
        first = server_of(inspector)
        os.kill(first, signal.SIGKILL)
        assert look(inspector, GOOD).root == "demo-1.0.dist-info"
        assert server_of(inspector) != first


def test_a_server_that_dies_again_and_again_is_unavailable(monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with Inspector() as inspector, pytest.raises(InspectorUnavailable):
        look(inspector, GOOD)


def test_an_archive_waits_for_a_free_place_but_not_for_ever():
    with Inspector(concurrency=1, limits=Limits(wall_seconds=0)) as inspector:
        inspector._slots.acquire()
        with pytest.raises(InspectorUnavailable):
            look(inspector, GOOD)


PARENT = """
import os, signal, sys
from packhouse.specs.archives.inspector import Inspector
inspector = Inspector()
inspector._running()
print(inspector._server._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_server_ends_when_its_parent_was_killed():
    done = subprocess.run(
        [sys.executable, "-c", PARENT], capture_output=True, text=True, env=environment(), check=False
    )
    wait_until(lambda: not Path(f"/proc/{int(done.stdout)}").exists())


def test_the_server_ends_when_it_is_closed():
    inspector = Inspector()
    look(inspector, GOOD)
    server = server_of(inspector)
    inspector.close()
    assert not Path(f"/proc/{server}").exists()


def test_the_server_gets_neither_secrets_nor_sockets_of_ours(inspector, monkeypatch):
    look(inspector, GOOD)
    server = Path(f"/proc/{server_of(inspector)}")
    names = {entry.split(b"=")[0] for entry in (server / "environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PYTHONPATH", b"PYTHONUTF8", b"LD_LIBRARY_PATH", b"PYTHONHOME", b"LC_CTYPE"}
    sockets = [fd for fd in (server / "fd").iterdir() if str(fd.readlink()).startswith("socket:")]
    assert len(sockets) == 3  # its parent, and a pair that tells of ended jobs
