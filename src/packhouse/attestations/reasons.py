"""Why attestations are refused, for the documentation."""

from typing import Final

PREFIX: Final = "Invalid attestations supplied during upload: "

REASONS: Final[dict[str, str]] = {
    "attestations-need-publisher": "Attestations are accepted from trusted publishers only.",
    "attestations-unsupported": "This kind of trusted publisher cannot attest.",
    "attestations-malformed": "The field attestations is not a JSON list of attestations (PEP 740, version 1).",
    "attestations-empty": "The list of attestations is empty.",
    "attestations-too-many": "A file has at most two attestations.",
    "attestation-not-verified": "Signature, certificate or log entry of an attestation cannot be verified.",
    "attestation-other-publisher": "An attestation was signed for another publisher than the one that uploads.",
    "attestation-statement": "The statement of an attestation is not an in-toto statement about one file.",
    "attestation-other-file": "An attestation is about another file than the one that is uploaded.",
    "attestation-predicate": "An attestation has a predicate type that the index does not know.",
    "attestations-repeated": "Two attestations have the same predicate type.",
}
