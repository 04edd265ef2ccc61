"""Service accounts of Google Cloud.

Fields: ``email``, ``subject`` (the account's number; empty: whoever has the address).
Claims: https://docs.cloud.google.com/docs/authentication/token-types
"""

from collections.abc import Sequence

from packhouse.base.identity import AttestationIdentity
from packhouse.publishers.providers.provider import Claims, ClaimsRefused, Fields, Issuer, must_equal, optional, text


class Google:
    kind = "google"
    name = "Google Cloud"
    issuer = "https://accounts.google.com"
    kept: tuple[str, ...] = ()

    def telling(self, fields: Fields) -> Sequence[str]:
        return fields["email"], fields["subject"]

    def candidates(self, claims: Claims) -> Sequence[Fields]:
        email = text(claims, "email")
        return [{"email": email, "subject": subject} for subject in dict.fromkeys([optional(claims, "sub"), ""])]

    def pin(self, claims: Claims) -> str:
        return ""

    def check(self, claims: Claims, fields: Fields, issuer: Issuer) -> None:
        must_equal(claims, "email", fields["email"])
        if claims.get("email_verified") is not True:
            raise ClaimsRefused("the claim email_verified is not true")
        if fields["subject"]:
            must_equal(claims, "sub", fields["subject"])

    def words(self, fields: Fields) -> str:
        return fields["email"]

    def url(self, fields: Fields, issuer: Issuer) -> str:
        return ""

    def source(self, fields: Fields, issuer: Issuer) -> str:
        return ""

    def attestation_identity(self, fields: Fields, issuer: Issuer) -> AttestationIdentity | None:
        return AttestationIdentity(kind="Google", issuer=issuer.url, email=fields["email"])


PROVIDER = Google()
