"""API tokens over REST, for automation: ``/api/v1/tokens``.

For whoever is signed in, and for tokens made for ``manage`` (see ``rest``).  What a token makes is restricted by
whatever restricts the token itself.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError
from pydantic import AwareDatetime

from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.projects.models import Project
from packhouse.specs.names import normalize
from packhouse.tokens import actions, queries, rest
from packhouse.tokens.models import Token
from packhouse.tokens.rest import Problem

Grant = Literal["upload", "yank", "manage", "read"]
USUAL_LIFETIME = timedelta(days=365)


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


router = Router(tags=["tokens"], auth=rest.AUTH)


@router.get("", response={200: list[TokenAbout], 403: Problem}, summary="Your tokens")
def list_tokens(request: HttpRequest) -> Any:
    return [_about(token) for token in queries.tokens_of(_user(request))]


@router.post("", response={201: MadeToken, 403: Problem, 422: Problem}, summary="Make a token")
def create_token(request: HttpRequest, new: NewToken) -> Any:
    user, identity = _user(request), rest.identity_of(request)
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
        raise HttpError(422, _told(error)) from error
    return Status(201, _about(token) | {"token": text})


@router.delete("/{token_id}", response={204: None, 403: Problem, 404: Problem}, summary="Delete a token")
def delete_token(request: HttpRequest, token_id: UUID) -> Any:
    try:
        actions.delete_token(owner=_user(request), token_id=token_id, by=rest.identity_of(request))
    except Token.DoesNotExist:
        raise HttpError(404, "There is no such token.") from None
    return Status(204, None)


def _user(request: HttpRequest) -> User:
    """The user that the request speaks for, if it may manage tokens.  Raises ``HttpError``."""
    return rest.require(request, "account:api-tokens")


def _told(error: ValidationError) -> str:
    """What is wrong, each after the name that its field has here."""
    names = {"grants": "permissions"}
    fields = error.message_dict.items()
    return " ".join(f"{names.get(field, field)}: {text}" for field, texts in fields for text in texts)


def _projects(user: User, names: list[str]) -> list[Project]:
    found = {project.normalized_name: project for project in queries.projects_for(user)}
    if missing := [name for name in names if normalize(name) not in found]:
        raise HttpError(422, f"projects: You have no project {missing[0]!r}.")
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
