"""After an upload's 200, whoever reads next reads it, whichever process answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.invariants import Site
from tests.faults.publishing import Told, new_token, new_upload, publish
from tests.servers import packhouse
from tests.servers.packhouse import Running

ROUNDS = 500
READERS = 4


@pytest.fixture
def index(tmp_path: Path, live_database: str | None) -> Iterator[Running]:
    with packhouse.running(tmp_path / "home", database=live_database, workers=2) as running:
        yield running


def test_five_hundred_uploads_are_each_seen_by_the_next_reads(index: Running) -> None:
    token, told = new_token(index), Told()
    for number in range(ROUNDS):
        upload = new_upload(number)
        assert publish(index.url, token, upload, told) == "200"
        for _ in range(READERS):  # each over a connection of its own, so that every worker is asked
            with Site(index.url) as site:
                files = site.json(f"/simple/{upload.project}/")[2]["files"]
                assert upload.filename in {file["filename"] for file in files}, number
                if number < 10:
                    names = {project["name"] for project in site.json("/simple/")[2]["projects"]}
                    assert upload.project in names
