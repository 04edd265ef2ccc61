"""Sessions are read as Django's own store reads them."""

from datetime import timedelta

import pytest
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from packhouse.accounts.sessions import SessionStore
from packhouse.base import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept():
    store = SessionStore()
    store["user"] = 7
    store.create()
    return store.session_key


def _read(store: db.SessionStore) -> tuple[int | None, str | None]:
    return store.get("user"), store.session_key


def test_a_session_is_what_was_kept_in_it(kept):
    assert _read(SessionStore(kept)) == _read(db.SessionStore(kept)) == (7, kept)


@pytest.mark.parametrize("passed", [timedelta(0), timedelta(days=1)])
def test_a_session_ends_with_its_time(kept, passed, time_machine):
    time_machine.move_to(clock.now(), tick=False)
    Session.objects.filter(session_key=kept).update(expire_date=clock.now() - passed)
    assert _read(SessionStore(kept)) == _read(db.SessionStore(kept)) == (None, None)


def test_a_session_that_nobody_began_is_empty(kept):
    assert _read(SessionStore("x" * 32)) == _read(db.SessionStore("x" * 32)) == (None, None)
