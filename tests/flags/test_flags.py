"""The switches of the running index."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from tests.factories.accounts import make_user

from packhouse.audit.models import Event
from packhouse.flags import queries
from packhouse.flags.actions import set_flag
from packhouse.flags.known import KNOWN
from packhouse.flags.models import Flag
from packhouse.flags.queries import all_flags, is_on, notices


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    queries.forget()
    yield
    queries.forget()


@pytest.mark.django_db
def test_every_flag_is_off_until_somebody_turns_it() -> None:
    assert [flag.name for flag in all_flags() if not flag.enabled] == list(KNOWN)


@pytest.mark.django_db
def test_turning_a_flag_shows_and_leaves_a_trail() -> None:
    admin = make_user()
    set_flag(name="read-only", enabled=True, notify=True, by=admin)
    assert is_on("read-only")
    assert notices() == [KNOWN["read-only"]]
    event = Event.objects.get(tag="flag:change")
    assert (event.actor, event.subject_name) == (admin.username, "read-only")
    assert event.additional == {"flag": "read-only", "enabled": True, "notify": True}
    set_flag(name="read-only", enabled=False, by=admin)
    assert not is_on("read-only")
    assert notices() == []


@pytest.mark.django_db
def test_an_undeclared_flag_is_an_error() -> None:
    with pytest.raises(KeyError):
        is_on("reed-only")
    with pytest.raises(KeyError):
        set_flag(name="reed-only", enabled=True)


@pytest.mark.django_db(transaction=True)
def test_a_flag_is_remembered_outside_transactions_and_asked_inside(django_assert_num_queries: Any) -> None:
    assert not is_on("read-only")
    Flag.objects.create(name="read-only", enabled=True)  # as another process does
    with django_assert_num_queries(0):
        assert not is_on("read-only")
    with transaction.atomic():
        assert is_on("read-only")


@pytest.mark.django_db(transaction=True)
def test_the_process_that_turns_a_flag_sees_it_at_once() -> None:
    assert not is_on("read-only")
    set_flag(name="read-only", enabled=True)
    assert is_on("read-only")


@pytest.mark.django_db(transaction=True)
def test_pages_that_are_made_one_after_the_other_ask_once(django_assert_num_queries: Any) -> None:
    set_flag(name="read-only", enabled=True, notify=True)
    set_flag(name="disallow-oidc", enabled=True)
    with django_assert_num_queries(1):
        assert [notices() for _ in range(3)] == [[KNOWN["read-only"]]] * 3
