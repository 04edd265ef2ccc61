"""Making the first administrator, once."""

from typing import Final

from django.conf import settings
from django.db import connection, transaction

from packhouse.accounts.actions import create_user
from packhouse.accounts.models import User
from packhouse.base import home as homes

LOCK: Final = 0x66697273  # "firs"


class AlreadySetUp(Exception):
    """There is somebody already, or the link was used."""


def is_open(token: str) -> bool:
    """Whether the link with *token* still makes the first administrator."""
    return homes.is_setup_token(settings.PACKHOUSE.home, token) and not User.objects.exists()


def make_first_administrator(*, token: str, username: str, email: str, password: str) -> User:
    """Make the administrator and close the way for everybody else.

    Of many at once one succeeds, on all machines of a database: they wait for each other, and whoever comes second
    finds somebody there.  Raises ``AlreadySetUp``, and ``ValidationError`` as ``create_user`` does.
    """
    with transaction.atomic():
        _wait_for_turn()
        if not is_open(token):
            raise AlreadySetUp
        user = create_user(username=username, email=email, password=password, superuser=True, verified=True)
    homes.forget_setup_token(settings.PACKHOUSE.home)
    return user


def _wait_for_turn() -> None:
    """On SQLite the transaction itself waits for its turn to write; PostgreSQL needs a lock for it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
