"""Who an account of GitHub is, by its API."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.factories.accounts import make_user, signed_in
from tests.factories.projects import make_project
from tests.publishers.issuer import Issuer, running
from tests.publishers.test_trust import GITHUB, page_errors

from packhouse.publishers.models import Publisher

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(settings: Any) -> Iterator[Issuer]:
    """It has one account, of which it knows the spelling."""
    with running() as service:
        service.pages = {"/users/acme": {"login": "Acme", "id": 1001}, "/users/ACME": {"login": "Acme", "id": 1001}}
        settings.PACKHOUSE = replace(settings.PACKHOUSE, github_api=service.url, github_api_token="secret")
        yield service


def add(**change: str) -> Any:
    user = make_user()
    make_project("demo", owner=user)
    form = {name: value for name, value in (GITHUB | change).items() if name != "owner_id"}
    return signed_in(user).post("/manage/project/demo/settings/publishing/?provider=github", form)


def test_name_and_number_are_those_that_github_says(api: Issuer) -> None:
    assert add(owner="ACME").status_code == 302
    publisher = Publisher.objects.get()
    assert (publisher.fields["owner"], publisher.pinned) == ("Acme", "1001")
    assert dict(api.asked) == {"/users/ACME": 1}


def test_the_number_that_somebody_sends_is_not_believed(api: Issuer) -> None:
    user = make_user()
    make_project("demo", owner=user)
    form = GITHUB | {"owner": "acme", "owner_id": "666"}
    signed_in(user).post("/manage/project/demo/settings/publishing/?provider=github", form)
    assert Publisher.objects.get().pinned == "1001"


def test_an_owner_who_is_unknown_is_refused(api: Issuer) -> None:
    assert "GitHub knows nobody of that name" in page_errors(add(owner="nobody"))


@pytest.mark.parametrize(("status", "told"), [(403, "too often"), (429, "too often"), (500, "does not answer")])
def test_a_service_that_does_not_say_is_told_apart(api: Issuer, status: int, told: str) -> None:
    api.status = status
    assert told in page_errors(add(owner="acme"))
    assert not Publisher.objects.exists()


@pytest.mark.parametrize(
    "page",
    [b"nonsense", b"[" * 100_000, [], {}, {"login": "acme"}, {"login": "other", "id": 5}, {"login": "acme", "id": "5"}],
    ids=lambda page: str(page)[:40],
)
def test_what_is_no_account_is_not_taken_for_one(api: Issuer, page: Any) -> None:
    api.pages["/users/acme"] = page
    assert "does not answer" in page_errors(add(owner="acme"))


def test_a_service_that_is_away_is_told_apart(settings: Any) -> None:
    settings.PACKHOUSE = replace(settings.PACKHOUSE, github_api="http://127.0.0.1:9")
    assert "does not answer" in page_errors(add(owner="acme"))
