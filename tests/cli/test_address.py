"""Commands speak of the index where the last ``serve`` put it."""

from pathlib import Path

import pytest
from tests.servers.packhouse import run_cli, running

from packhouse.base.home import last_address


@pytest.fixture
def served(tmp_path: Path, live_database: str | None) -> tuple[Path, str, str | None]:
    """A home whose index has run, at an address with a port of its own."""
    with running(tmp_path / "home", database=live_database) as index:
        return tmp_path / "home", index.url, live_database


def test_reconcile_keeps_the_links_of_the_index_that_runs_on_another_port(
    served: tuple[Path, str, str | None],
) -> None:
    home, url, database = served
    assert last_address(home) == url
    done = run_cli(home, "reconcile", database=database)
    assert "mended" not in done.stdout


def test_an_address_that_is_set_goes_before_the_one_remembered(served: tuple[Path, str, str | None]) -> None:
    home, _, database = served
    (home / "packhouse.toml").write_text('public_url = "https://packages.example"\n')
    code = "from django.conf import settings; print(settings.PACKHOUSE.public_url)"
    printed = run_cli(home, "manage", "shell", "--no-imports", "-c", code, database=database).stdout
    assert printed.splitlines()[-1] == "https://packages.example"
