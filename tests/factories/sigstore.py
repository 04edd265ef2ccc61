"""A Sigstore of the tests' own: an authority, two logs, and the trusted root that names them.

It signs as the public one does (Fulcio's certificates with an SCT, Rekor's entries with promise, proof and checkpoint),
so that real libraries verify what it makes, and it signs whatever a test wants refused.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pypi_attestations import AttestationType

from packhouse.attestations.claims import NAMES

PUBLISH, SLSA = AttestationType.PYPI_PUBLISH_V1.value, AttestationType.SLSA_PROVENANCE_V1.value
STATEMENT = "https://in-toto.io/Statement/v1"
PAYLOAD = "application/vnd.in-toto+json"
SCTS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
OIDS = {name: x509.ObjectIdentifier(oid) for oid, name in NAMES.items()}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
GITHUB = {
    "issuer": "https://token.actions.githubusercontent.com",
    "runner": "github-hosted",
    "repository": "https://github.com/octo/demo",
    "commit": COMMIT,
    "ref": "refs/tags/v1.0",
    "owner": "https://github.com/octo",
    "workflow": "https://github.com/octo/demo/.github/workflows/release.yml@refs/tags/v1.0",
    "workflow_commit": COMMIT,
    "trigger": "release",
    "run": "https://github.com/octo/demo/actions/runs/123/attempts/1",
    "visibility": "public",
}
"""What the certificate of a job of GitHub says."""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(key: ec.EllipticCurvePrivateKey) -> bytes:
    return hashlib.sha256(spki(key)).digest()


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Leaf:
    """A certificate for one signature, and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


@dataclass
class Sigstore:
    """Whatever is signed with one of its keys, the root made by ``trusted_root`` leads back to."""

    authority: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    certificate_log: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    # -- the trusted root ---------------------------------------------------------------------------------------

    def certificate(self, *, years: int = 10) -> x509.Certificate:
        """The authority's own certificate."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sigstore of the tests")])
        usage = dict.fromkeys(_USAGES, False) | {"key_cert_sign": True, "crl_sign": True}
        public = self.authority.public_key()
        return (
            x509.CertificateBuilder(name, name, public, 1)
            .not_valid_before(self.now - timedelta(days=365))
            .not_valid_after(self.now + timedelta(days=365 * years))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .sign(self.authority, SHA256())
        )

    def trusted_root(self, path: Path, **changed: Any) -> Path:
        """Write the trusted root to *path*; *changed* replaces members of it."""
        start = (self.now - timedelta(days=365)).isoformat().replace("+00:00", "Z")
        certificate = {"rawBytes": b64(self.certificate().public_bytes(Encoding.DER))}
        authority = {
            "subject": {"organization": "tests", "commonName": "sigstore of the tests"},
            "uri": "https://fulcio.test",
            "certChain": {"certificates": [certificate]},
            "validFor": {"start": start},
        }
        root = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [_instance("https://rekor.test", self.log, start)],
            "certificateAuthorities": [authority],
            "ctlogs": [_instance("https://ct.test", self.certificate_log, start)],
            "timestampAuthorities": [],
        }
        path.write_text(json.dumps(root | changed))
        return path

    # -- certificates -------------------------------------------------------------------------------------------

    def leaf(self, claims: Mapping[str, str] = GITHUB, *, email: str = "", sct: bool = True, days: int = 0) -> Leaf:
        """A certificate with *claims* for a build, or for *email*; made *days* ago, valid for ten minutes."""
        key = new_key()
        builder = self._builder(key, claims, email, self.now - timedelta(days=days, minutes=1))
        if sct:
            promise = self._sct(builder.sign(self.authority, SHA256()).tbs_certificate_bytes)
            builder = builder.add_extension(x509.UnrecognizedExtension(SCTS, promise), critical=False)
        return Leaf(builder.sign(self.authority, SHA256()), key)

    def _builder(
        self, key: ec.EllipticCurvePrivateKey, claims: Mapping[str, str], email: str, start: datetime
    ) -> x509.CertificateBuilder:
        subject: x509.GeneralName = (
            x509.RFC822Name(email) if email else x509.UniformResourceIdentifier(_subject(claims))
        )
        public = self.authority.public_key()
        builder = (
            x509.CertificateBuilder(
                self.certificate().subject, x509.Name([]), key.public_key(), x509.random_serial_number()
            )
            .not_valid_before(start)
            .not_valid_after(start + timedelta(minutes=10))
            .add_extension(x509.KeyUsage(**dict.fromkeys(_USAGES, False) | {"digital_signature": True}), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
            .add_extension(x509.SubjectAlternativeName([subject]), critical=True)
        )
        for name, text in claims.items():
            builder = builder.add_extension(
                x509.UnrecognizedExtension(OIDS[name], asn1.encode_der(text)), critical=False
            )
        return builder

    def _sct(self, tbs: bytes) -> bytes:
        """The extension with the promise of the log of certificates (RFC 6962), as DER."""
        time = int(self.now.timestamp() * 1000)
        length = struct.pack("!I", len(tbs))[1:]
        signed = struct.pack("!BBQH", 0, 0, time, 1) + key_id(self.authority) + length + tbs + b"\0\0"
        signature = self.certificate_log.sign(signed, ec.ECDSA(SHA256()))
        head = struct.pack("!B32sQH", 0, key_id(self.certificate_log), time, 0)
        one = head + struct.pack("!BBH", 4, 3, len(signature)) + signature
        return asn1.encode_der(struct.pack("!HH", len(one) + 2, len(one)) + one)

    # -- attestations -------------------------------------------------------------------------------------------

    def attest(
        self,
        filename: str,
        content: bytes,
        *,
        claims: Mapping[str, str] = GITHUB,
        email: str = "",
        predicate: str = PUBLISH,
        statement: Any = None,
        leaf: Leaf | None = None,
        integrated: datetime | None = None,
    ) -> dict[str, Any]:
        """An attestation about a file, as the field ``attestations`` lists it."""
        leaf = leaf or self.leaf(claims, email=email)
        if statement is None:
            statement = about(filename, content, predicate)
        payload = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
        signature = leaf.key.sign(_pae(payload), ec.ECDSA(SHA256()))
        certificate = leaf.certificate.public_bytes(Encoding.DER)
        entry = self.entry(payload, signature, leaf.certificate, integrated or self.now)
        return {
            "version": 1,
            "verification_material": {"certificate": b64(certificate), "transparency_entries": [entry]},
            "envelope": {"statement": b64(payload), "signature": b64(signature)},
        }

    def entry(
        self, payload: bytes, signature: bytes, certificate: x509.Certificate, integrated: datetime
    ) -> dict[str, Any]:
        """An entry of the transparency log, the second of two."""
        pem = certificate.public_bytes(Encoding.PEM)
        spec = {
            "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(b"envelope").hexdigest()},
            "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()},
            "signatures": [{"signature": b64(signature), "verifier": b64(pem)}],
        }
        body = _canonical({"apiVersion": "0.0.1", "kind": "dsse", "spec": spec})
        time = int(integrated.timestamp())
        promised = {"body": b64(body), "integratedTime": time, "logID": key_id(self.log).hex(), "logIndex": 1}
        other, own = hashlib.sha256(b"\0the first entry").digest(), hashlib.sha256(b"\0" + body).digest()
        root = hashlib.sha256(b"\1" + other + own).digest()
        return {
            "logIndex": "1",
            "logId": {"keyId": b64(key_id(self.log))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(time),
            "inclusionPromise": {"signedEntryTimestamp": b64(self._signed(_canonical(promised)))},
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": b64(root),
                "treeSize": "2",
                "hashes": [b64(other)],
                "checkpoint": {"envelope": self._checkpoint(root)},
            },
            "canonicalizedBody": b64(body),
        }

    def _checkpoint(self, root: bytes) -> str:
        note = f"rekor.test - 1\n2\n{b64(root)}\n"
        return f"{note}\n— rekor.test {b64(key_id(self.log)[:4] + self._signed(note.encode()))}\n"

    def _signed(self, data: bytes) -> bytes:
        return self.log.sign(data, ec.ECDSA(SHA256()))


_USAGES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def about(filename: str, content: bytes, predicate: str = PUBLISH) -> dict[str, Any]:
    """The statement of an attestation."""
    subject = {"name": filename, "digest": {"sha256": hashlib.sha256(content).hexdigest()}}
    return {"_type": STATEMENT, "subject": [subject], "predicateType": predicate, "predicate": None}


def _pae(payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _subject(claims: Mapping[str, str]) -> str:
    return claims.get("workflow", "https://nobody.test")


def _instance(url: str, key: ec.EllipticCurvePrivateKey, start: str) -> dict[str, Any]:
    public = {"rawBytes": b64(spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": {"start": start}}
    return {"baseUrl": url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": {"keyId": b64(key_id(key))}}
