"""Whether a message really comes from our SNS topic.

Only signature version 2 (SHA-256) is believed, only with a certificate from SNS itself, only for the topic that is
configured, and only near its time.  Source: the Amazon SNS developer guide, "Verifying the signatures of messages".
"""

import json
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from http.client import HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from packhouse.base import clock

REGION: Final = r"[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}"
CERTIFICATE: Final = re.compile(
    rf"https://sns\.{REGION}\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[A-Za-z0-9]+\.pem", re.ASCII
)
"""The whole address, in one pattern: no part of it is left to what a URL parser makes of it."""

SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
OLDEST: Final = timedelta(hours=1)
NEWEST: Final = timedelta(minutes=5)
LARGEST_CERTIFICATE: Final = 65_536
TIMEOUT: Final = 5.0


class Untrusted(Exception):
    """It is not from our topic, or not from now."""


class Unavailable(Exception):
    """The certificate cannot be fetched at the moment."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose signature holds."""

    kind: str
    message_id: str
    topic: str
    body: str
    token: str = ""


def verified(raw: bytes, *, kind: str, topic: str) -> Message:
    """The message in *raw*, of which the request's head says that it is a *kind*, from the *topic*.

    Cheap looks come first: nothing is fetched for a message that is refused anyway.  Raises ``Untrusted`` and
    ``Unavailable``.
    """
    fields = _fields(raw, kind)
    if fields.get("TopicArn") != topic:
        raise Untrusted("another topic")
    if fields.get("SignatureVersion") != "2":
        raise Untrusted("only signature version 2 is accepted")
    _require_present(fields["Timestamp"])
    url = fields.get("SigningCertURL", "")
    if not CERTIFICATE.fullmatch(url):
        raise Untrusted("the certificate is not from SNS")
    _check(_key(url), fields)
    return Message(kind, fields["MessageId"], topic, fields["Message"], fields.get("Token", ""))


def _fields(raw: bytes, kind: str) -> Mapping[str, str]:
    if kind not in SIGNED:
        raise Untrusted("an unknown kind of message")
    try:
        fields: Any = json.loads(raw)
    except (ValueError, RecursionError):
        raise Untrusted("no JSON") from None
    if not isinstance(fields, dict) or fields.get("Type") != kind:
        raise Untrusted("not the kind of message that was announced")
    found = {str(name): value for name, value in fields.items() if isinstance(value, str)}
    if missing := [name for name in SIGNED[kind] if name not in found and name != "Subject"]:
        raise Untrusted(f"without {', '.join(missing)}")
    if not 1 <= len(found["MessageId"]) <= 100:
        raise Untrusted("no usable MessageId")
    return found


def _require_present(timestamp: str) -> None:
    try:
        moment = datetime.fromisoformat(timestamp)
        age = clock.now() - moment
    except (ValueError, TypeError):
        raise Untrusted("no usable timestamp") from None
    if not -NEWEST <= age <= OLDEST:
        raise Untrusted("not from now")


def _check(key: RSAPublicKey, fields: Mapping[str, str]) -> None:
    """Raises ``Untrusted`` unless the signature holds over the fields that SNS signs, in its order."""
    signed = "".join(f"{name}\n{fields[name]}\n" for name in SIGNED[fields["Type"]] if name in fields)
    try:
        signature = b64decode(fields.get("Signature", ""), validate=True)
        key.verify(signature, signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, Base64Error, ValueError):  # ValueError: characters that Base64 or UTF-8 do not have
        raise Untrusted("the signature does not hold") from None


@lru_cache(maxsize=16)
def _key(url: str) -> RSAPublicKey:
    """The key in the certificate at *url*, which names its content and so never changes."""
    try:
        certificate = x509.load_pem_x509_certificate(_fetch(url))
    except ValueError:
        raise Unavailable("what was fetched is no certificate") from None
    now, key = clock.now(), certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Untrusted("not an RSA key")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise Untrusted("the certificate is not of now")
    return key


def _fetch(url: str) -> bytes:
    """GET, over TLS that is checked, without following where it might be sent to."""
    parts = urlsplit(url)
    connection = HTTPSConnection(parts.hostname or "", timeout=TIMEOUT)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        content = response.read(LARGEST_CERTIFICATE + 1)
    except (OSError, HTTPException) as error:
        raise Unavailable(f"the certificate cannot be fetched: {error}") from error
    finally:
        connection.close()
    if response.status != 200 or len(content) > LARGEST_CERTIFICATE:
        raise Unavailable(f"the certificate cannot be fetched: status {response.status}")
    return content
