"""Who a request's ``Authorization`` header speaks for, and a user's tokens."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypedDict, cast
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from packhouse.accounts import bans
from packhouse.accounts import queries as accounts
from packhouse.accounts.models import User
from packhouse.base import metrics
from packhouse.base.identity import ANONYMOUS, Identity, TokenGrant
from packhouse.base.statements import Question
from packhouse.projects.models import Project
from packhouse.projects.queries import reached_by
from packhouse.tokens import caveats, keys, macaroons
from packhouse.tokens.models import Token
from packhouse.tokens.rules import INVALID, grants_of

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class UserFacts(TypedDict):
        user_two_factor: bool
        user_verified_email: bool


Others = Callable[[macaroons.Presented], tuple[bytes, Identity] | None]
"""Finds a token: its salt and whom it is for, as far as that is true, since the signature is not yet verified."""

NO_PASSWORDS = (
    "Username/Password authentication is no longer supported. Use an API token (user name __token__) or trusted "
    "publishing instead."
)
MAX_HEADER = 24 * 1024
"""The longest header that is looked at, in characters: a token of 16 KiB inside of base64."""


class CredentialsRefused(Exception):
    """The credentials are not accepted.  ``message`` is for the person who sent them, ``status`` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def identify(authorization: str | None, others: Others | None = None) -> Identity:
    """The identity that the ``Authorization`` header proves; ``ANONYMOUS`` without one.

    Accepts ``Basic`` with the user name ``__token__``, and the schemes ``token`` and ``Bearer``.  One database query; a
    password hash is never computed.  The token's signature is verified here, its caveats wait for ``rules.check``.
    *others* knows tokens that are no user's, for doors that take them.  Raises ``CredentialsRefused``.
    """
    if authorization is None or not authorization.strip():
        return ANONYMOUS
    try:
        identity = _identity_of(_token_text(authorization), others)
    except CredentialsRefused:
        metrics.count("packhouse_authentications", "token", "refused")
        raise
    metrics.count("packhouse_authentications", "token", "accepted")
    return identity


def tokens_of(user: User) -> QuerySet[Token]:
    """The user's tokens, newest first."""
    return Token.objects.filter(user=user).order_by("-created")


def projects_for(user: User) -> QuerySet[Project]:
    """The projects that a token of *user* can be for: those where the user has a role by whatever way, by name."""
    return reached_by(user.pk)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is restricted to, in words for people.  Empty tuples: not restricted in that way."""

    projects: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    grants: tuple[str, ...] = ("upload",)
    addresses: tuple[str, ...] = ()
    expires: datetime | None = None


def scope_of(token: Token) -> Scope:
    """What the caveats stored with *token* say."""
    stored = [caveats.parse(caveats.compact(fields)) for fields in token.caveats]
    ends = [caveat.expires_at for caveat in stored if isinstance(caveat, caveats.Expiration)]
    made_for = grants_of(token.caveats)
    return Scope(
        projects=_united(caveat.normalized_names for caveat in stored if isinstance(caveat, caveats.ProjectName)),
        patterns=_united(caveat.patterns for caveat in stored if isinstance(caveat, caveats.ProjectPattern)),
        grants=tuple(grant for grant in caveats.GRANTS if grant in made_for),
        addresses=_united(caveat.networks for caveat in stored if isinstance(caveat, caveats.AddressRange)),
        expires=datetime.fromtimestamp(min(ends), UTC) if ends else None,
    )


def _united(texts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for group in texts for text in group))


def _token_text(authorization: str) -> str:
    if len(authorization) > MAX_HEADER:
        raise CredentialsRefused("token-too-long", "API tokens are at most 16 KiB long.", 413)
    scheme, _, parameter = authorization.strip().partition(" ")
    match scheme.lower():
        case "token" | "bearer":
            return parameter.strip()
        case "basic":
            return _basic_password(parameter.strip())
    raise CredentialsRefused("unknown-scheme", INVALID)


def _basic_password(parameter: str) -> str:
    """The password of Basic credentials (RFC 7617), which must be a token's."""
    try:
        username, colon, password = base64.b64decode(parameter, validate=True).decode().partition(":")
    except ValueError:
        raise CredentialsRefused("undecodable-credentials", INVALID) from None
    if not colon:
        raise CredentialsRefused("undecodable-credentials", INVALID)
    if username != "__token__":
        raise CredentialsRefused("password-authentication", NO_PASSWORDS)
    return password.strip()


def _identity_of(text: str, others: Others | None) -> Identity:
    try:
        presented = macaroons.parse(text, settings.PACKHOUSE.token_prefix)
    except macaroons.MacaroonRefused as refused:
        raise CredentialsRefused("malformed-token", INVALID) from refused
    found = _of_user(presented) or (others(presented) if others else None)
    if found is None:
        raise CredentialsRefused("unknown-token", INVALID)
    if bans.is_banned():
        raise CredentialsRefused("address-banned", INVALID)
    salt, identity = found
    if not macaroons.is_signed_with(presented, keys.root_keys(salt)):
        raise CredentialsRefused("bad-signature", "Invalid API Token: signatures do not match")
    return identity


def _of_user(presented: macaroons.Presented) -> tuple[bytes, Identity] | None:
    token = _find(presented.identifier)
    return (bytes(token.salt), _granted(token, presented)) if token is not None and token.user.can_act else None


def united_caveats(presented: macaroons.Presented, stored: Iterable[list[Any]]) -> tuple[str, ...]:
    """The presented caveats, then the *stored* ones, so that both sets must hold."""
    known = tuple(caveats.compact(caveat) for caveat in stored)
    return presented.caveats + tuple(text for text in known if text not in presented.caveats)


_OF_TOKEN = [field.attname for field in Token._meta.concrete_fields]
_OF_USER = [field.attname for field in User._meta.concrete_fields]
_TOKEN = Question(
    lambda key: Token.objects.filter(pk=key).values_list(
        *_OF_TOKEN,
        *(f"user__{name}" for name in _OF_USER),
        accounts.two_factor_exists("user_id"),
        accounts.verified_primary_email_exists("user_id"),
    ),
    UUID,
)


def _find(token_id: UUID) -> "WithAnnotations[Token, UserFacts] | None":
    row = _TOKEN.first(token_id)
    if row is None:
        return None
    of_token, of_user, (two_factor, verified_email) = row[: len(_OF_TOKEN)], row[len(_OF_TOKEN) : -2], row[-2:]
    token: Any = Token.from_db(connection.alias, _OF_TOKEN, of_token)
    token.user = User.from_db(connection.alias, _OF_USER, of_user)
    token.user_two_factor, token.user_verified_email = two_factor, verified_email
    return cast("WithAnnotations[Token, UserFacts]", token)


def _granted(token: "WithAnnotations[Token, UserFacts]", presented: macaroons.Presented) -> Identity:
    """The identity of the token's user."""
    return Identity(
        kind="user",
        user_id=token.user_id,
        user_uid=token.user.uid,
        username=token.user.username,
        credential="token",
        token=TokenGrant(
            id=token.pk,
            description=token.description,
            caveats=united_caveats(presented, token.caveats),
            by_operator=token.by_operator,
            last_used=token.last_used,
            grants=grants_of(token.caveats),
        ),
        two_factor=token.by_operator or token.user_two_factor,
        verified_email=token.user_verified_email,
    )
