"""Users and their tokens."""

from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator

from packhouse.accounts.models import User
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


def make_token(user: User | None = None, description: str = "", **options: Any) -> tuple[Token, str]:
    """A token and its text; the options are those of ``create_token``."""
    return actions.create_token(
        user=user or make_user(), description=description or f"token {next(numbers)}", **options
    )
