"""What every door of the REST API asks first: who is it, and may that credential be used for this?

Doors are for whoever is signed in to the site (with the CSRF token in ``X-CSRFToken``), and for whoever holds a token
that was made for what the door does.  A session must have proved lately who it belongs to before it changes anything,
as in the browser.
"""

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from ninja import Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from packhouse.accounts import proof
from packhouse.accounts import queries as accounts
from packhouse.accounts.models import User
from packhouse.accounts.rules import must_have_two_factor, must_have_verified_email
from packhouse.base.identity import Identity, current_request
from packhouse.tokens import actions, caveats, queries, rules

SAFE: Final = frozenset({"GET", "HEAD"})
UNPROVED: Final = "Prove who you are first: open /account/reauthenticate/ in this browser."


class TokenAuth(HttpBearer):
    """``Authorization: Bearer packhouse-…``."""

    def authenticate(self, request: HttpRequest, token: str) -> Identity | None:
        try:
            identity = queries.identify(f"Bearer {token}")
        except queries.CredentialsRefused:
            return None
        actions.touch(identity, current_request.get().address)
        return identity


class BrowserAuth(SessionAuth):
    """The session of the site; ninja asks for its CSRF token."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Identity | None:
        user = request.user
        return accounts.identity_of(user) if isinstance(user, User) else None


AUTH: Final = (TokenAuth(), BrowserAuth())


class Problem(Schema):
    detail: Any


def identity_of(request: HttpRequest) -> Identity:
    """Whoever the request speaks for, as one of ``AUTH`` has found."""
    identity: Identity = request.auth  # type: ignore[attr-defined] # set by ninja
    return identity


def require(
    request: HttpRequest, permission: str, project: caveats.NamedProject | None = None, *, publishes: bool = True
) -> User:
    """The user that the request speaks for, where its credential may be used for *permission* (on *project*).

    Says nothing about the user's roles.  *publishes*: whether a second factor is asked for as for publishing.
    Raises ``HttpError`` 403.
    """
    identity = identity_of(request)
    decision = (
        rules.check(identity, permission, project)
        and must_have_verified_email(identity)
        and must_have_two_factor(identity, settings.PACKHOUSE.require_two_factor, publishes=publishes)
    )
    if not decision.allowed:
        raise HttpError(403, decision.reason)
    if identity.credential == "session" and request.method not in SAFE and not proof.is_recent(request):
        raise HttpError(403, UNPROVED)
    return User.objects.get(uid=str(identity.user_uid))
