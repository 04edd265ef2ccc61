"""What a certificate of Fulcio, Sigstore's authority, says of the build that it was given to.

The extensions are those of https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
"""

from typing import Final

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509 import Certificate, RFC822Name, SubjectAlternativeName

_ARC: Final = "1.3.6.1.4.1.57264.1"
NAMES: Final = {
    f"{_ARC}.{number}": name
    for number, name in {
        8: "issuer",
        9: "builder",
        10: "builder_commit",
        11: "runner",
        12: "repository",
        13: "commit",
        14: "ref",
        15: "repository_id",
        16: "owner",
        17: "owner_id",
        18: "workflow",
        19: "workflow_commit",
        20: "trigger",
        21: "run",
        22: "visibility",
    }.items()
}
"""Object identifier → what this house calls the claim."""
LONGEST: Final = 1000


def claims_of(certificate: Certificate) -> dict[str, str]:
    """The claims by name, and ``subjects``: the e-mail addresses that it was given to, a line each.

    Raises ``ValueError`` where one is not the string that it should be, or too long.
    """
    extensions = {item.oid.dotted_string: item.value for item in certificate.extensions}
    found = {name: _string(extensions[oid]) for oid, name in NAMES.items() if oid in extensions}
    named = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    addresses = named.get_values_for_type(RFC822Name)
    return found | ({"subjects": "\n".join(addresses)} if addresses else {})


def _string(value: x509.ExtensionType) -> str:
    text = asn1.decode_der(str, value.public_bytes())
    if len(text) > LONGEST:
        raise ValueError("a claim of the certificate is too long")
    return text
