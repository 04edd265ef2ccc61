"""Security keys and passkeys (WebAuthn Level 2): what is asked of a browser, and whether its answer is right.

The relying party and the origin are those of ``public_url``, whatever a request says of itself.  A challenge lives in
the session and is taken out of it before an answer is looked at, so that no answer counts twice.
"""

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from packhouse.accounts.models import User

Credentials = Sequence[AttestedCredentialData]
LONGEST_ANSWER: Final = 64 * 1024
"""The longest answer of a browser that is looked at, in characters."""
SITE_NAME: Final = "Packhouse"
_SESSION_KEY: Final = "packhouse.webauthn."


class AnswerRefused(ValueError):
    """The browser's answer is not right.  The text is for logs; people are told less."""


def is_possible() -> bool:
    """Whether browsers offer WebAuthn on this site: on https or localhost, never under an IP address."""
    site = urlsplit(settings.PACKHOUSE.public_url)
    host = site.hostname or ""
    is_name = not (":" in host or host.replace(".", "").isdigit())
    return is_name and (site.scheme == "https" or host == "localhost" or host.endswith(".localhost"))


def ask_to_register(session: SessionBase, user: User, known: Credentials, *, passkey: bool) -> dict[str, Any]:
    """The options for ``navigator.credentials.create``, as JSON values.

    Both kinds may turn out to be a passkey; for *passkey* the authenticator must be able to store one, and must check
    that it is the user who holds it.  *known* are the user's credentials, which are not registered again.
    """
    options, state = _server().register_begin(
        user=PublicKeyCredentialUserEntity(
            id=user.uid.bytes, name=user.username, display_name=user.name or user.username
        ),
        credentials=known,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED if passkey else ResidentKeyRequirement.DISCOURAGED,
        user_verification=UserVerificationRequirement.REQUIRED if passkey else UserVerificationRequirement.DISCOURAGED,
    )
    session[_SESSION_KEY + "register"] = {"state": _plain(state), "user": user.pk, "passkey": passkey}
    return dict(_plain(options))


def registered(session: SessionBase, user: User, answer: str) -> tuple[AuthenticatorData, bool]:
    """What the authenticator said to the options asked for last, and whether they were for a passkey.

    Raises ``AnswerRefused``.
    """
    asked = session.pop(_SESSION_KEY + "register", None)
    if not asked or asked["user"] != user.pk:
        raise AnswerRefused("nothing was asked")
    try:
        data = _server().register_complete(asked["state"], _read(answer))
    except _WRONG as error:
        raise AnswerRefused(str(error)) from error
    if data.credential_data is None or len(data.credential_data.credential_id) > 1023:
        raise AnswerRefused("no usable credential")
    return data, asked["passkey"]


def ask_to_sign(session: SessionBase, user: User | None, known: Credentials) -> dict[str, Any]:
    """The options for ``navigator.credentials.get``: with one of the *known* keys of *user*, as a second factor.

    Without a user it is with any passkey, which must check that it is the user who holds it.
    """
    options, state = _server().authenticate_begin(
        credentials=known or None,
        user_verification=UserVerificationRequirement.DISCOURAGED if user else UserVerificationRequirement.REQUIRED,
    )
    session[_SESSION_KEY + "sign"] = {"state": _plain(state), "user": user.pk if user else None}
    return dict(_plain(options))


def taken_challenge(session: SessionBase, user: User | None) -> Any:
    """The state of the question asked last, which can be answered only once; None when *user* was asked none."""
    asked = session.pop(_SESSION_KEY + "sign", None)
    return asked["state"] if asked and asked["user"] == (user.pk if user else None) else None


def challenge_of(state: Any) -> str:
    """The challenge in *state*, as text."""
    return str(state["challenge"])


def credential_id_of(answer: str) -> str:
    """Which credential the answer claims to be of (base64url).  Raises ``AnswerRefused``."""
    try:
        return websafe_encode(AuthenticationResponse.from_dict(_read(answer)).raw_id)
    except _WRONG as error:
        raise AnswerRefused(str(error)) from error


def signed_counter(state: Any, credential: bytes, answer: str) -> int:
    """The signature counter of an answer that *credential* (attested credential data) has signed.

    *state* is the ``taken_challenge``.  Raises ``AnswerRefused`` for a wrong challenge, origin, relying party or
    signature, and where the user had to be verified and was not.
    """
    if state is None:
        raise AnswerRefused("nothing was asked")
    try:
        response = AuthenticationResponse.from_dict(_read(answer))
        _server().authenticate_complete(state, [AttestedCredentialData(credential)], response)
    except _WRONG as error:
        raise AnswerRefused(str(error)) from error
    return int(response.response.authenticator_data.counter)


_WRONG: Final = (ValueError, TypeError, KeyError, AttributeError, IndexError, AssertionError)
"""What the library raises on answers that are malformed or wrong."""


def _server() -> Fido2Server:
    site = settings.PACKHOUSE.public_url
    party = PublicKeyCredentialRpEntity(id=urlsplit(site).hostname or "", name=SITE_NAME)
    return Fido2Server(party, verify_origin=lambda origin: origin == site)


def _read(answer: str) -> Mapping[str, Any]:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("the answer is too long")
    value = json.loads(answer)
    if not isinstance(value, dict):
        raise TypeError("the answer is not an object")
    return value


def _plain(value: Any) -> Any:
    """*value* with bytes in base64url and enumerations as text, as JSON has it."""
    if isinstance(value, bytes):
        return websafe_encode(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
