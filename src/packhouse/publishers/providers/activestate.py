"""The ActiveState Platform.

Fields: ``organization``, ``project``, ``actor``.  Pinned is the actor's number.  It makes no attestations.
"""

from collections.abc import Sequence

from packhouse.base.identity import AttestationIdentity
from packhouse.publishers.providers.provider import Claims, ClaimsRefused, Fields, Issuer, must_equal, text

BUILDER = "pypi-publisher"


class ActiveState:
    kind = "activestate"
    name = "ActiveState"
    issuer = "https://platform.activestate.com/api/v1/oauth/oidc"
    kept: tuple[str, ...] = ()

    def telling(self, fields: Fields) -> Sequence[str]:
        return fields["organization"], fields["project"]

    def candidates(self, claims: Claims) -> Sequence[Fields]:
        return [{"organization": text(claims, "organization"), "project": text(claims, "project")}]

    def pin(self, claims: Claims) -> str:
        return text(claims, "actor_id")

    def check(self, claims: Claims, fields: Fields, issuer: Issuer) -> None:
        must_equal(claims, "organization", fields["organization"])
        must_equal(claims, "project", fields["project"])
        must_equal(claims, "builder", BUILDER)
        subject, expected = text(claims, "sub"), f"org:{fields['organization']}:project:{fields['project']}"
        if subject != expected and not subject.startswith(f"{expected}:"):
            raise ClaimsRefused(f"the claim sub is {subject[:200]!r}")

    def words(self, fields: Fields) -> str:
        return f"{fields['organization']}/{fields['project']}, {fields['actor']}"

    def url(self, fields: Fields, issuer: Issuer) -> str:
        return f"https://platform.activestate.com/{fields['organization']}/{fields['project']}"

    def source(self, fields: Fields, issuer: Issuer) -> str:
        return ""

    def attestation_identity(self, fields: Fields, issuer: Issuer) -> AttestationIdentity | None:
        return None


PROVIDER = ActiveState()
