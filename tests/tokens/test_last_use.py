"""The last use of a token: written down without anybody waiting for it."""

from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections, connection, transaction
from tests.factories.accounts import make_token

from packhouse.base import clock
from packhouse.tokens.actions import touch
from packhouse.tokens.models import Token
from packhouse.tokens.queries import identify


def use(text: str, address: str = "192.0.2.7") -> None:
    touch(identify(f"Bearer {text}"), address)


def end_request() -> None:
    """End a request as Django's test client does: the connection stays, for it is the test's."""
    request_finished.disconnect(close_old_connections)
    request_finished.send(sender=None)
    request_finished.connect(close_old_connections)


@pytest.mark.django_db
def test_a_use_is_written_when_the_request_ends(django_assert_num_queries: Any) -> None:
    token, text = make_token()
    identity = identify(f"Bearer {text}")
    with django_assert_num_queries(0):
        touch(identity, "192.0.2.7")
    token.refresh_from_db()
    assert token.last_used is None
    end_request()
    token.refresh_from_db()
    assert token.last_used is not None
    assert token.last_used_address == "192.0.2.7"


@pytest.mark.django_db
def test_a_use_is_written_once_a_minute(time_machine: Any, django_assert_num_queries: Any) -> None:
    start = clock.now()
    time_machine.move_to(start, tick=False)
    token, text = make_token()
    use(text)
    end_request()
    time_machine.move_to(start + timedelta(seconds=59), tick=False)
    use(text)
    with django_assert_num_queries(0):
        end_request()
    time_machine.move_to(start + timedelta(seconds=60), tick=False)
    use(text)
    end_request()
    token.refresh_from_db()
    assert token.last_used == start + timedelta(seconds=60)


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_writer_and_the_use_is_written_later() -> None:
    token, text = make_token()
    holding, done = Event(), Event()

    def hold_the_row() -> None:
        try:
            with transaction.atomic():
                Token.objects.filter(pk=token.pk).update(description="held")
                holding.set()
                done.wait(120)
        finally:
            connection.close()

    writer = Thread(target=hold_the_row)
    writer.start()
    assert holding.wait(60)
    use(text)
    end_request()
    assert writer.is_alive()  # whoever had waited for it would come back after it
    done.set()
    writer.join()

    token.refresh_from_db()
    assert token.last_used is None
    use(text)
    end_request()
    token.refresh_from_db()
    assert token.last_used is not None
