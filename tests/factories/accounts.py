"""Users and their tokens."""

from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client

from packhouse.accounts.actions import PROVED_AT
from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.tokens import actions
from packhouse.tokens.models import Token

numbers = count(1)


def make_user(
    username: str = "", *, verified: bool = True, two_factor: bool = True, password: str | None = None, **fields: Any
) -> User:
    """A user with a primary address; by default verified, with a second factor and without a usable password."""
    username = username or f"user-{next(numbers)}"
    user = User(username=username, email=f"{username.lower()}@users.example", **fields)
    user.set_password(password)
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    if two_factor:
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def signed_in(user: User, *, proved: bool = True) -> Client:
    """A browser with a session of *user*, who has (unless *proved* is false) just given the password."""
    client = Client()
    client.force_login(user)
    if proved:
        session = client.session
        session[PROVED_AT] = clock.now().timestamp()
        session.save()
    return client


def make_token(user: User | None = None, description: str = "", **options: Any) -> tuple[Token, str]:
    """A token and its text; the options are those of ``create_token``."""
    return actions.create_token(
        user=user or make_user(), description=description or f"token {next(numbers)}", **options
    )
