"""Verifying what an upload brings along, PEP 740 and the steps of Sigstore.  Importing this takes most of a second.

Every step that cannot be taken refuses: nothing here passes because it was not understood.  Nothing is asked of another
machine.  Work is bounded by the length of the field: signatures, hashes and parsing take milliseconds.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Final

from cryptography.x509 import Certificate
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from pydantic import FailFast, TypeAdapter, ValidationError
from pypi_attestations import Attestation, AttestationType
from sigstore.errors import VerificationError
from sigstore.verify import Verifier

from packhouse.attestations import trust
from packhouse.attestations.attester import is_named, publisher_of, spelled
from packhouse.attestations.claims import claims_of
from packhouse.attestations.reasons import PREFIX
from packhouse.attestations.statements import Statement, Verified
from packhouse.base.identity import AttestationIdentity
from packhouse.specs.errors import Refused
from packhouse.specs.names import shorten

MOST: Final = 2
LONGEST: Final = 256 * 1024
PAYLOAD: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATES: Final = frozenset(kind.value for kind in AttestationType)
_LIST: Final = TypeAdapter(Annotated[list[Attestation], FailFast()])


@dataclass(frozen=True, slots=True)
class Subject:
    """The file that attestations must be about; ``sha256`` in lower-case hex."""

    filename: str
    sha256: str


def verify(text: str, *, attester: AttestationIdentity, subject: Subject, trusted_root: str | bytes = "") -> Verified:
    """The provenance that the attestations in *text* (a JSON list) make for *subject*.

    *trusted_root* is the path of a trusted root or its text, empty for Sigstore's public one.  Raises ``Refused``, and
    ``trust.TrustUnavailable``.
    """
    attestations = _parsed(text)
    verifier = trust.verifier(trusted_root)
    statements = tuple(_verified(one, attester, subject, verifier) for one in attestations)
    if len({one.predicate for one in statements}) < len(statements):
        raise refusal("attestations-repeated", "there are multiple attestations of the same type.")
    publisher = publisher_of(spelled(attester, statements[0].claims))
    return Verified(_body(publisher, attestations), publisher, statements)


def refusal(code: str, why: str) -> Refused:
    return Refused(code, PREFIX + why, field="attestations")


def _parsed(text: str) -> list[Attestation]:
    if len(text) > LONGEST:
        raise refusal("attestations-malformed", f"they are longer than {LONGEST // 1024} KiB.")
    try:
        found = _LIST.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "the list"
        raise refusal("attestations-malformed", f"malformed attestations: {shorten(where)}: {first['msg']}") from error
    if not found:
        raise refusal("attestations-empty", "an empty attestation set is not permitted.")
    if len(found) > MOST:
        raise refusal("attestations-too-many", f"a maximum of {MOST} attestations per file is permitted.")
    return found


class _OtherPublisher(VerificationError):
    """The certificate is genuine and another's."""


@dataclass(slots=True)
class _Policy:
    """Sigstore's verifier asks it about the certificate once that has led back to the trusted root."""

    attester: AttestationIdentity
    claims: dict[str, str] | None = None

    def verify(self, cert: Certificate) -> None:
        claims = claims_of(cert)
        if not is_named(self.attester, claims):
            raise _OtherPublisher(_whose(claims))
        self.claims = claims


def _whose(claims: dict[str, str]) -> str:
    said = claims.get("workflow") or claims.get("repository") or claims.get("subjects") or "nobody who is named"
    return shorten(said, 200)


def _verified(
    attestation: Attestation, attester: AttestationIdentity, subject: Subject, verifier: Verifier
) -> Statement:
    policy = _Policy(attester)
    try:
        kind, payload = verifier.verify_dsse(attestation.to_bundle(), policy)
        entry = attestation.verification_material.transparency_entries[0]
        index, time = int(entry["logIndex"]), int(entry["integratedTime"])
    except _OtherPublisher as other:
        why = f"the certificate was issued to {other}, which is not the trusted publisher of this upload."
        raise refusal("attestation-other-publisher", why) from other
    except Exception as error:  # whatever a library stumbles over is not verified
        told = shorten(" ".join(str(error).split()), 300) or type(error).__name__
        why = f"an attestation could not be verified: {told}"
        raise refusal("attestation-not-verified", why) from error
    if policy.claims is None:
        raise refusal("attestation-not-verified", "the publisher of an attestation was not verified.")
    statement = _statement(kind, payload)
    _check_subject(statement, subject)
    predicate = statement.get("predicateType")
    if not isinstance(predicate, str) or predicate not in PREDICATES:
        raise refusal("attestation-predicate", f"unsupported attestation type {shorten(repr(predicate), 200)}.")
    return Statement(STATEMENT, predicate, statement["subject"][0]["name"], index, time, policy.claims)


def _statement(kind: str, payload: bytes) -> dict[str, Any]:
    """The in-toto statement about one subject that was signed."""
    try:
        said = json.loads(payload)
        wanted = kind == PAYLOAD and said["_type"] == STATEMENT and len(said["subject"]) == 1
        named = isinstance(said["subject"][0]["name"], str) and isinstance(said["subject"][0]["digest"], dict)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        wanted = named = False
    if not wanted or not named:
        why = "an attestation is not an in-toto statement about exactly one subject."
        raise refusal("attestation-statement", why)
    return said  # type: ignore[no-any-return]


def _check_subject(statement: dict[str, Any], subject: Subject) -> None:
    signed = statement["subject"][0]
    if _parts(signed["name"]) != _parts(subject.filename):
        why = f"the attestation's subject {shorten(repr(signed['name']), 300)} does not match the file's name."
        raise refusal("attestation-other-file", why)
    if signed["digest"].get("sha256") != subject.sha256:
        raise refusal("attestation-other-file", "the attestation's subject does not match the file's digest.")


def _parts(filename: str) -> object:
    """What a file name says, whatever the spelling: name, version, build and tags."""
    try:
        return parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except ValueError:
        raise refusal(
            "attestation-other-file", "the attestation's subject is no file name of a distribution."
        ) from None


def _body(publisher: dict[str, str | None], attestations: list[Attestation]) -> str:
    bundle = {"attestations": [one.model_dump(mode="json") for one in attestations], "publisher": publisher}
    return json.dumps({"attestation_bundles": [bundle], "version": 1}, separators=(",", ":"), sort_keys=True)
