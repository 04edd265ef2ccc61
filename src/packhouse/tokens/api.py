"""API tokens over REST, for automation: ``/api/v1/tokens``.

Whoever is signed in to the site may use it (with the CSRF token in ``X-CSRFToken``), and whoever holds a token that
was made for ``manage``.  What a token makes is restricted by whatever restricts the token itself.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth
from pydantic import AwareDatetime

from packhouse.accounts import queries as accounts
from packhouse.accounts.models import User
from packhouse.accounts.rules import must_have_two_factor, must_have_verified_email
from packhouse.base import clock
from packhouse.base.identity import Identity, current_request
from packhouse.projects.models import Project
from packhouse.specs.names import normalize
from packhouse.tokens import actions, queries, rules
from packhouse.tokens.models import Token

Grant = Literal["upload", "yank", "manage", "read"]
USUAL_LIFETIME = timedelta(days=365)


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


class Scope(Schema):
    """What a token is restricted to.  Without ``projects`` and ``patterns`` it is for the whole account."""

    projects: list[str] = Field(default_factory=list, description="Names of projects.")
    patterns: list[str] = Field(
        default_factory=list, description="Patterns of normalized names; `*` stands for any run of characters."
    )
    permissions: list[Grant] = Field(default=["upload"], min_length=1)
    addresses: list[str] = Field(default_factory=list, description="Networks in CIDR form; empty for any address.")


class NewToken(Scope):
    description: Annotated[str, Field(min_length=1, max_length=100)]
    expires: AwareDatetime | None = Field(
        default_factory=lambda: clock.now() + USUAL_LIFETIME,
        description="When it stops working: a year from now, unless given; `null` for never.",
    )


class TokenAbout(Scope):
    id: UUID
    description: str
    expires: datetime | None
    created: datetime
    last_used: datetime | None
    last_used_address: str | None


class MadeToken(TokenAbout):
    token: str = Field(description="The token itself. It is not shown again.")


class Problem(Schema):
    detail: Any


router = Router(tags=["tokens"], auth=[TokenAuth(), BrowserAuth()])


@router.get("", response={200: list[TokenAbout], 403: Problem}, summary="Your tokens")
def list_tokens(request: HttpRequest) -> Any:
    return [_about(token) for token in queries.tokens_of(_user(request))]


@router.post("", response={201: MadeToken, 403: Problem, 422: Problem}, summary="Make a token")
def create_token(request: HttpRequest, new: NewToken) -> Any:
    user, identity = _user(request), _identity(request)
    try:
        token, text = actions.create_token(
            user=user,
            description=new.description,
            projects=_projects(user, new.projects),
            patterns=new.patterns,
            grants=new.permissions,
            addresses=new.addresses,
            expires=new.expires,
            within=identity.token,
            by=identity,
        )
    except ValidationError as error:
        raise HttpError(422, "; ".join(error.messages)) from error
    return Status(201, _about(token) | {"token": text})


@router.delete("/{token_id}", response={204: None, 403: Problem, 404: Problem}, summary="Delete a token")
def delete_token(request: HttpRequest, token_id: UUID) -> Any:
    try:
        actions.delete_token(owner=_user(request), token_id=token_id, by=_identity(request))
    except Token.DoesNotExist:
        raise HttpError(404, "There is no such token.") from None
    return Status(204, None)


def _identity(request: HttpRequest) -> Identity:
    identity: Identity = request.auth  # type: ignore[attr-defined] # set by ninja: what the auth classes returned
    return identity


def _user(request: HttpRequest) -> User:
    """The user that the request speaks for, if it may manage tokens.  Raises ``HttpError``."""
    identity = _identity(request)
    decision = (
        rules.check(identity, "account:api-tokens")
        and must_have_verified_email(identity)
        and must_have_two_factor(identity, settings.PACKHOUSE.require_two_factor)
    )
    if not decision.allowed:
        raise HttpError(403, decision.reason)
    return User.objects.get(uid=str(identity.user_uid))


def _projects(user: User, names: list[str]) -> list[Project]:
    found = {project.normalized_name: project for project in queries.projects_for(user)}
    if missing := [name for name in names if normalize(name) not in found]:
        raise HttpError(422, f"You have no project {missing[0]!r}.")
    return [found[normalize(name)] for name in names]


def _about(token: Token) -> dict[str, Any]:
    scope = queries.scope_of(token)
    return {
        "id": token.pk,
        "description": token.description,
        "projects": list(scope.projects),
        "patterns": list(scope.patterns),
        "permissions": list(scope.grants),
        "addresses": list(scope.addresses),
        "expires": scope.expires,
        "created": token.created,
        "last_used": token.last_used,
        "last_used_address": token.last_used_address or None,
    }
