"""What a credential may do at all; what its user may do is the business of the rooms that own the permission."""

from typing import Final

from packhouse.base import clock
from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.base.identity import Credential, Identity
from packhouse.tokens import caveats

INVALID: Final = "Invalid or non-existent authentication information."

_SESSION: Final[frozenset[Credential]] = frozenset({"session"})
_TOKEN: Final[frozenset[Credential]] = frozenset({"token"})
_TOKEN_OR_PUBLISHER: Final[frozenset[Credential]] = frozenset({"token", "publisher-token"})

PERMISSIONS: Final[dict[str, frozenset[Credential]]] = {
    "projects:upload": _TOKEN_OR_PUBLISHER,
    "api:echo": _TOKEN,
    "api:observations:add": _TOKEN,
    "account:manage": _SESSION,
    "account:api-tokens": _SESSION,
    "account:2fa": _SESSION,
    "projects:read": _SESSION,
    "projects:write": _SESSION,
    "organizations:read": _SESSION,
    "organizations:manage": _SESSION,
    "admin:read": _SESSION,
    "admin:write": _SESSION,
}
"""Which kinds of credential each permission accepts.  A permission that is not listed accepts none."""


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
    context = caveats.Context(now=clock.now().timestamp(), user_uid=identity.user_uid, project=project)
    try:
        caveats.check_all(identity.token.caveats, context)
    except caveats.CaveatRefused as refused:
        return denied("token-caveat", f"Invalid API Token: {refused}")
    return ALLOWED
