"""Recording events."""

import pytest
from django.db import transaction
from tests.factories.accounts import make_token, make_user

from packhouse.audit.actions import Subject, record
from packhouse.audit.models import Event
from packhouse.base.identity import RequestFacts, current_request
from packhouse.tokens.queries import identify

PROJECT = Subject("project", "1", "sample")


@pytest.mark.django_db
def test_an_event_tells_who_did_it_with_what_and_from_where() -> None:
    user = make_user()
    token, text = make_token(user)
    current = current_request.set(RequestFacts("192.0.2.7", "twine/6", "abc"))
    try:
        event = record("project:create", subject=PROJECT, by=identify(f"Bearer {text}"), additional={"a": 1})
    finally:
        current_request.reset(current)
    stored = Event.objects.get(pk=event.pk)
    assert (stored.actor_id, stored.actor, stored.token) == (user.pk, user.username, token.pk)
    assert (stored.address, stored.user_agent, stored.request_id) == ("192.0.2.7", "twine/6", "abc")
    assert (stored.subject_kind, stored.subject_name, stored.additional) == ("project", "sample", {"a": 1})


@pytest.mark.django_db
def test_an_undeclared_tag_is_an_error() -> None:
    with pytest.raises(KeyError):
        record("project:invented", subject=PROJECT)


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_its_cause() -> None:
    with pytest.raises(RuntimeError):
        record("project:create", subject=PROJECT)
    with transaction.atomic():
        record("project:create", subject=PROJECT)
        transaction.set_rollback(True)
    assert not Event.objects.exists()
