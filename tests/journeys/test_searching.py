"""What was published is found by ``pip search``."""

import time

from tests.journeys.clients import Clients
from tests.journeys.conftest import Shop


def test_pip_search_finds_what_was_published(full_shop: Shop, client: Clients) -> None:
    pip, deadline = client("pip"), time.monotonic() + 60
    while True:  # the index follows within seconds, by a task
        search = ["python", "-m", "pip", "search", "--index", f"{full_shop.index.url}/pypi", "flask"]
        answer = pip.run(*search, check=False).stdout
        if "\nflask (" in f"\n{answer}".lower():
            return
        assert time.monotonic() < deadline, answer
        time.sleep(1)
