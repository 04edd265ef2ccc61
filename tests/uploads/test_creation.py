"""How many projects somebody may start: what counts, and what is given back."""

import dataclasses
from typing import Any

import pytest
from django.db import IntegrityError
from tests.factories.accounts import make_token, make_user
from tests.uploads.publishing import upload

from packhouse.accounts.models import User
from packhouse.base.facts import Reaction
from packhouse.projects.facts import FilePublished
from packhouse.projects.models import Project
from packhouse.throttle.actions import hit
from packhouse.uploads import creation

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(settings: Any) -> User:
    settings.PACKHOUSE = dataclasses.replace(settings.PACKHOUSE, new_projects_per_user=2)
    return make_user("ada")


@pytest.fixture
def token(ada: User) -> str:
    return make_token(ada)[1]


def fail(fact: object) -> None:
    raise IntegrityError


FAILING = {FilePublished: Reaction(handlers=[fail])}


def start(token: str, name: str) -> tuple[int, str]:
    """Upload the first file of a project: the status, and how many more projects the user may start."""
    answer = upload(token=token, name=name)
    left = [state for state in answer.get("RateLimit", "").split(", ") if "create.user" in state]
    return answer.status_code, left[0].split(";")[1] if left else ""


def test_projects_that_could_not_be_started_for_reasons_of_ours_do_not_count(settings: Any, token: str) -> None:
    right = settings.PACKHOUSE_REACTIONS
    settings.PACKHOUSE_REACTIONS = f"{__name__}.FAILING"
    for name in ("one", "two", "three"):
        assert start(token, name)[0] == 503
    settings.PACKHOUSE_REACTIONS = right
    assert start(token, "four") == (200, "r=1")
    assert start(token, "five") == (200, "r=0")
    assert start(token, "six") == (429, "r=0")


def test_a_try_that_ended_half_way_is_not_counted_again(ada: User, token: str) -> None:
    """The server was killed, or lost its database, when it had counted: the next try is the same creation."""
    assert start(token, "first") == (200, "r=1")
    hit(creation.CLAIM, ada.pk, "second")
    assert hit(dataclasses.replace(creation.PER_USER, rate="2 per hour"), ada.pk).allowed
    assert start(token, "third")[0] == 429
    assert start(token, "second") == (200, "r=0")
    assert set(Project.objects.values_list("normalized_name", flat=True)) == {"first", "second"}


def test_who_was_refused_is_refused_again(token: str) -> None:
    assert [start(token, name)[0] for name in ("one", "two", "three", "three")] == [200, 200, 429, 429]
