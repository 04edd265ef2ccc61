"""GitLab CI/CD, at gitlab.com or anywhere.

Fields: ``namespace`` (with its groups), ``project``, ``workflow`` (the path of the top-level pipeline file),
``environment`` (empty: any; its case counts).  Pinned is the project's number, by the first use where nobody has told.
Claims: https://docs.gitlab.com/ci/secrets/id_token_authentication/
"""

import re
from collections.abc import Sequence
from typing import Final

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

PIPELINE: Final = re.compile(r"//(?P<path>[^@]+\.ya?ml)@")


class GitLab:
    kind = "gitlab"
    name = "GitLab"
    issuer = "https://gitlab.com"
    kept: tuple[str, ...] = ("ref_path", "sha")

    def telling(self, fields: Fields) -> Sequence[str]:
        return fields["namespace"].lower(), fields["project"].lower(), fields["workflow"], fields["environment"]

    def candidates(self, claims: Claims) -> Sequence[Fields]:
        namespace, slash, project = text(claims, "project_path").rpartition("/")
        found = PIPELINE.search(text(claims, "ci_config_ref_uri"))
        if not slash or found is None:
            raise ClaimsRefused("the claims name no pipeline of a project")
        fields = {"namespace": namespace, "project": project, "workflow": found["path"]}
        environment = optional(claims, "environment")
        return [fields | {"environment": name} for name in dict.fromkeys([environment, ""])]

    def pin(self, claims: Claims) -> str:
        return text(claims, "project_id")

    def check(self, claims: Claims, fields: Fields, issuer: Issuer) -> None:
        path = f"{fields['namespace']}/{fields['project']}"
        must_equal(claims, "iss", issuer.url)
        must_equal(claims, "project_path", path, any_case=True)
        subject = text(claims, "sub")
        if ":".join(subject.split(":")[:2]).lower() != f"project_path:{path}".lower():
            raise ClaimsRefused(f"the claim sub is {subject[:200]!r}")
        self._check_pipeline(claims, f"{issuer.host}/{path}", fields["workflow"])
        if fields["environment"]:
            must_equal(claims, "environment", fields["environment"])
        text(claims, "jti")

    def _check_pipeline(self, claims: Claims, project: str, workflow: str) -> None:
        """The pipeline file must be of that very project, as it is at the reference that the job runs at."""
        found = text(claims, "ci_config_ref_uri")
        path, _, revision = found.rpartition("@")
        place, _, file = path.partition("//")
        same = place.lower() == project.lower() and file == workflow
        if not same or revision not in {text(claims, "ref_path"), text(claims, "sha")}:
            raise ClaimsRefused(f"the claim ci_config_ref_uri is {found[:200]!r}")

    def words(self, fields: Fields) -> str:
        environment = f", {fields['environment']}" if fields["environment"] else ""
        return f"{fields['namespace']}/{fields['project']}, {fields['workflow']}{environment}"

    def url(self, fields: Fields, issuer: Issuer) -> str:
        return f"{self.source(fields, issuer)}/-/blob/HEAD/{fields['workflow']}"

    def source(self, fields: Fields, issuer: Issuer) -> str:
        return f"{issuer.url}/{fields['namespace']}/{fields['project']}"

    def attestation_identity(self, fields: Fields, issuer: Issuer) -> AttestationIdentity | None:
        return AttestationIdentity(
            kind=self.name,
            issuer=issuer.url,
            repository=f"{fields['namespace']}/{fields['project']}",
            workflow=fields["workflow"],
            environment=fields["environment"],
        )


PROVIDER = GitLab()
