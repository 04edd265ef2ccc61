"""The other side of the notifications: a topic that signs, and the host that its certificate lies on."""

import json
import ssl
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:us-east-1:123456789012:letters"
HOST = "sns.us-east-1.amazonaws.com"


class Signer:
    """A key with a certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
        certificate = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.key.public_key())
        now = datetime.now(UTC)
        certificate = certificate.serial_number(1).not_valid_before(now - timedelta(days=400))
        signed = certificate.not_valid_after(now + timedelta(days=400)).sign(self.key, SHA256())
        self.pem = signed.public_bytes(Encoding.PEM)

    def sign(self, fields: dict[str, str]) -> str:
        names = sorted(set(fields) - {"Signature", "SignatureVersion", "SigningCertURL", "UnsubscribeURL"})
        text = "".join(f"{name}\n{fields[name]}\n" for name in names)
        return b64encode(self.key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


@dataclass
class Place:
    """The host of the certificates: what lies there, what has been asked for, and where all connections end."""

    port: int
    content: bytes
    status: int = 200
    asked: list[str] = field(default_factory=list)


@contextmanager
def certificates(authority: trustme.CA, content: bytes) -> Iterator[Place]:
    """An HTTPS server that calls itself ``HOST``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.asked.append(self.path)
            self.send_response(place.status)
            self.send_header("Location", "https://127.0.0.1/elsewhere")
            self.end_headers()
            self.wfile.write(place.content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    place = Place(server.server_address[1], content)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield place
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def event(kind: str, provider_id: str, **more: Any) -> str:
    """What SES says of a letter."""
    return json.dumps({"notificationType": kind, "mail": {"messageId": provider_id}, **more})


def bounce(provider_id: str, kind: str) -> str:
    return event("Bounce", provider_id, bounce={"bounceType": kind})


def notification(signer: Signer, message: str, **changed: str) -> dict[str, str]:
    """A notification, signed; what is *changed* is signed too."""
    fields = {
        "Type": "Notification",
        "MessageId": "0d3c-1",
        "TopicArn": TOPIC,
        "Message": message,
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": "2",
        "SigningCertURL": f"https://{HOST}/SimpleNotificationService-0123456789abcdef.pem",
        "UnsubscribeURL": f"https://{HOST}/?Action=Unsubscribe",
    } | changed
    return fields | {"Signature": signer.sign(fields)}
