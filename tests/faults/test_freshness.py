"""After an upload's 200, whoever reads next reads it, whichever process answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.builders import make_wheel
from tests.faults.publisher import listed, make_publisher, read, upload
from tests.servers import packhouse
from tests.servers.packhouse import Running

ROUNDS = 500
READERS = 4

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def index(tmp_path: Path, live_database: str | None) -> Iterator[Running]:
    everything = {"PACKHOUSE_NEW_PROJECTS_PER_USER": "0", "PACKHOUSE_NEW_PROJECTS_PER_ADDRESS": "0"}
    with packhouse.running(tmp_path / "home", database=live_database, workers=2, env=everything) as running:
        yield running


def test_five_hundred_uploads_are_each_seen_by_the_next_reads(index: Running) -> None:
    token = make_publisher(index)
    for number in range(ROUNDS):
        name = f"fresh-{number % 10}"
        version = f"1.{number}"
        file = make_wheel(name=name, version=version)
        assert upload(index.url, token, file, name, version) == 200
        for _ in range(READERS):  # each over a connection of its own, so that every worker is asked
            assert file[0] in listed(index.url, name), (number, version)
        if number < 10:
            assert f'"{name}"'.encode() in read(index.url, "/simple/")
