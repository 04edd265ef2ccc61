"""What a credential may do at all; what its user may do is the business of the rooms that own the permission."""

from collections.abc import Iterable
from typing import Any, Final

from packhouse.base import clock
from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.base.identity import Credential, Identity, current_request
from packhouse.tokens import caveats

INVALID: Final = "Invalid or non-existent authentication information."

_SESSION: Final[frozenset[Credential]] = frozenset({"session"})
_TOKEN: Final[frozenset[Credential]] = frozenset({"token"})
_SESSION_OR_TOKEN: Final[frozenset[Credential]] = frozenset({"session", "token"})
_TOKEN_OR_PUBLISHER: Final[frozenset[Credential]] = frozenset({"token", "publisher-token"})

PERMISSIONS: Final[dict[str, frozenset[Credential]]] = {
    "projects:upload": _TOKEN_OR_PUBLISHER,
    "api:echo": _TOKEN,
    "api:observations:add": _TOKEN,
    "account:manage": _SESSION,
    "account:read": _SESSION_OR_TOKEN,
    "account:api-tokens": _SESSION_OR_TOKEN,
    "account:2fa": _SESSION,
    "projects:read": _SESSION_OR_TOKEN,
    "projects:yank": _SESSION_OR_TOKEN,
    "projects:write": _SESSION_OR_TOKEN,
    "organizations:read": _SESSION,
    "organizations:manage": _SESSION,
    "admin:read": _SESSION,
    "admin:write": _SESSION,
}
"""Which kinds of credential each permission accepts.  A permission that is not listed accepts none."""

GRANT_FOR: Final[dict[str, str]] = {
    "projects:upload": "upload",
    "projects:yank": "yank",
    "projects:write": "manage",
    "account:api-tokens": "manage",
    "projects:read": "read",
    "account:read": "read",
}
"""What a token must have been made for, to be used for each permission.  The others ask for nothing."""

USUAL: Final = frozenset({"upload"})
"""What a token is for that says nothing else: all tokens were, before there was a choice."""


def check(identity: Identity, permission: str, project: caveats.NamedProject | None = None) -> Decision:
    """Whether the identity's credential may be used for *permission* (on *project*, where there is one).

    Judges every caveat of the token as of now.  Says nothing about the user's roles.
    """
    if identity.is_anonymous:
        return denied("anonymous", INVALID)
    if identity.credential not in PERMISSIONS.get(permission, frozenset()):
        return denied("credential-kind", f"This kind of credential may not be used for {permission}.")
    if identity.token is None:
        return ALLOWED
    grant = GRANT_FOR.get(permission, "")
    if grant and grant not in identity.token.grants:
        return denied("token-grant", f"Invalid API Token: token may not be used to {grant}")
    context = caveats.Context(
        now=clock.now().timestamp(),
        user_uid=identity.user_uid,
        project=project,
        grant=grant,
        address=current_request.get().address,
        publisher_id=str(identity.publisher.id) if identity.publisher else "",
    )
    try:
        caveats.check_all(identity.token.caveats, context)
    except caveats.CaveatRefused as refused:
        return denied("token-caveat", f"Invalid API Token: {refused}")
    return ALLOWED


def grants_of(stored: Iterable[list[Any]]) -> frozenset[str]:
    """What a token whose row holds these *stored* caveats was made for.

    Only what the index itself has stored can give more than ``USUAL``: holders add caveats as they like.
    """
    made_for = [frozenset(fields) for tag, fields, *_ in stored if tag == 101]
    return frozenset.intersection(*made_for) if made_for else USUAL
