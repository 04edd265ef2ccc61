"""Second factors, and the devices that people would hold in their hands."""

import hashlib
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from packhouse.accounts.factors import actions, totp
from packhouse.accounts.factors.models import Key
from packhouse.accounts.models import User
from packhouse.base import clock


def make_app(user: User, **options: Any) -> str:
    """An authenticator app of *user*, set up long ago; returns its secret."""
    secret = totp.new_secret()
    actions.set_up_app(user=user, secret=secret, step=0, **options)
    return secret


def code_of(secret: str, *, steps: int = 0) -> str:
    """The code that the app with *secret* shows now, or so many *steps* of 30 seconds later."""
    from base64 import b32decode

    step = int(clock.now().timestamp()) // totp.PERIOD + steps
    return HOTP(b32decode(secret), 6, SHA1()).generate(step).decode()


class Device:
    """A security key in software: it holds one credential and signs what it is asked to, right or wrong."""

    def __init__(self, *, party: str = "localhost") -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = secrets.token_bytes(32)
        self.party = party
        self.counter = 0

    def made(self) -> AuthenticatorData:
        """What it says when it makes its credential."""
        public = ES256.from_cryptography_key(self.private.public_key())
        credential = AttestedCredentialData.create(b"\0" * 16, self.credential_id, public)
        flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
        return AuthenticatorData.create(self._party_digest(), flags, self.counter, bytes(credential))

    def registration(self, challenge: str, origin: str) -> str:
        """What the script sends when the credential is made for *challenge* (base64url)."""
        client = json.dumps({"type": "webauthn.create", "challenge": challenge, "origin": origin}).encode()
        attestation = AttestationObject.create("none", self.made(), {})
        response = {"clientDataJSON": websafe_encode(client), "attestationObject": websafe_encode(bytes(attestation))}
        encoded = websafe_encode(self.credential_id)
        return json.dumps({"id": encoded, "rawId": encoded, "type": "public-key", "response": response})

    def answer(
        self,
        challenge: str,
        origin: str,
        *,
        counter: int | None = None,
        verified: bool = True,
        kind: str = "webauthn.get",
    ) -> str:
        """The answer to *challenge* (base64url), as the script sends it."""
        self.counter = self.counter + 1 if counter is None else counter
        flags = AuthenticatorData.FLAG.UP | (AuthenticatorData.FLAG.UV if verified else AuthenticatorData.FLAG(0))
        data = AuthenticatorData.create(self._party_digest(), flags, self.counter)
        client = json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()
        signature = self.private.sign(bytes(data) + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        encoded = websafe_encode(self.credential_id)
        response = {
            "clientDataJSON": websafe_encode(client),
            "authenticatorData": websafe_encode(bytes(data)),
            "signature": websafe_encode(signature),
            "userHandle": None,
        }
        return json.dumps({"id": encoded, "rawId": encoded, "type": "public-key", "response": response})

    def _party_digest(self) -> bytes:
        return hashlib.sha256(self.party.encode()).digest()


def make_key(
    user: User, label: str = "key", *, device: Device | None = None, is_passkey: bool = False, **options: Any
) -> Key:
    """A key of *user*, held in *device*."""
    data = (device or Device()).made()
    return actions.add_key(user=user, label=label, data=data, is_passkey=is_passkey, **options)
