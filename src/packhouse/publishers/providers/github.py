"""GitHub Actions, also of a GitHub Enterprise Server.

Fields: ``owner``, ``repository``, ``workflow`` (a file name in ``.github/workflows``), ``environment`` (lower-case;
empty: any).  Pinned is the owner's number.  Names of owners, repositories and environments ignore case.
Claims: https://docs.github.com/actions/concepts/security/openid-connect
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from packhouse.base.identity import AttestationIdentity
from packhouse.publishers.providers.provider import (
    Claims,
    ClaimsRefused,
    Fields,
    Issuer,
    must_equal,
    optional,
    text,
)

WORKFLOW: Final = re.compile(r"/\.github/workflows/(?P<file>[^/@]+\.ya?ml)@")


class GitHub:
    kind = "github"
    name = "GitHub"
    issuer = "https://token.actions.githubusercontent.com"
    kept: tuple[str, ...] = ("ref", "sha")

    def telling(self, fields: Fields) -> Sequence[str]:
        return (
            fields["owner"].lower(),
            fields["repository"].lower(),
            fields["workflow"],
            fields["environment"].lower(),
        )

    def candidates(self, claims: Claims) -> Sequence[Fields]:
        owner, slash, repository = text(claims, "repository").partition("/")
        found = WORKFLOW.search(text(claims, "job_workflow_ref"))
        if not slash or found is None:
            raise ClaimsRefused("the claims name no workflow of a repository")
        fields = {"owner": owner, "repository": repository, "workflow": found["file"]}
        environment = optional(claims, "environment").lower()
        return [fields | {"environment": name} for name in dict.fromkeys([environment, ""])]

    def pin(self, claims: Claims) -> str:
        return text(claims, "repository_owner_id")

    def check(self, claims: Claims, fields: Fields, issuer: Issuer) -> None:
        owner, repository, workflow = fields["owner"], fields["repository"], fields["workflow"]
        must_equal(claims, "repository", f"{owner}/{repository}", any_case=True)
        must_equal(claims, "repository_owner", owner, any_case=True)
        self._check_workflow(claims, f"{owner}/{repository}", workflow)
        if fields["environment"]:
            must_equal(claims, "environment", fields["environment"], any_case=True)
        if (event := text(claims, "event_name")) not in settings.PACKHOUSE.github_events:
            raise ClaimsRefused(f"jobs that {event[:60]!r} has started may not publish")
        text(claims, "jti")

    def _check_workflow(self, claims: Claims, repository: str, workflow: str) -> None:
        """The workflow must be of that very repository, as it is at the reference that the job runs at."""
        for name in ("ref", "sha"):
            if not isinstance(claims.get(name), str):
                raise ClaimsRefused(f"the claim {name} is missing")
        found = text(claims, "job_workflow_ref")
        path, _, revision = found.rpartition("@")
        place, _, file = path.rpartition("/")
        same = place.lower() == f"{repository}/.github/workflows".lower() and file == workflow
        if not same or not revision or revision not in {claims["ref"], claims["sha"]}:
            raise ClaimsRefused(f"the claim job_workflow_ref is {found[:200]!r}")

    def words(self, fields: Fields) -> str:
        return f"{fields['owner']}/{fields['repository']}, {fields['workflow']}" + _within(fields)

    def url(self, fields: Fields, issuer: Issuer) -> str:
        return f"{self.source(fields, issuer)}/blob/HEAD/.github/workflows/{fields['workflow']}"

    def source(self, fields: Fields, issuer: Issuer) -> str:
        host = "github.com" if issuer.url == self.issuer else urlsplit(issuer.url).netloc
        return f"https://{host}/{fields['owner']}/{fields['repository']}"

    def attestation_identity(self, fields: Fields, issuer: Issuer) -> AttestationIdentity | None:
        return AttestationIdentity(
            kind=self.name,
            issuer=issuer.url,
            repository=f"{fields['owner']}/{fields['repository']}",
            workflow=fields["workflow"],
            environment=fields["environment"],
        )


def _within(fields: Fields) -> str:
    return f", {fields['environment']}" if fields["environment"] else ""


PROVIDER = GitHub()
