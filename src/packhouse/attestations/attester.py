"""Whose attestations about a file are believed: a trusted publisher, as certificates of Sigstore name it.  Pure.

What is compared are issuer, repository and workflow, at whichever commit; forges do not tell the case of repositories
apart.  The environment is told to readers and never
compared: certificates do not name it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from packhouse.base.identity import AttestationIdentity

GITHUB: Final = "https://token.actions.githubusercontent.com"


def publisher_of(attester: AttestationIdentity) -> dict[str, str | None]:
    """The ``publisher`` of a provenance object (PEP 740)."""
    if attester.kind == "Google":
        return {"kind": attester.kind, "email": attester.email}
    workflow = "workflow" if attester.kind == "GitHub" else "workflow_filepath"
    about = {"kind": attester.kind, "repository": attester.repository, workflow: attester.workflow}
    return {**about, "environment": attester.environment or None}


def spelled(attester: AttestationIdentity, claims: Mapping[str, str]) -> AttestationIdentity:
    """The publisher with its repository spelled as the certificate does, which is how clients verify it."""
    repository = claims.get("repository", "")[len(_host(attester)) + 1 :]
    return replace(attester, repository=repository) if attester.repository else attester


def is_named(attester: AttestationIdentity, claims: Mapping[str, str]) -> bool:
    """Whether a certificate with these *claims* (see ``claims.NAMES``) was given to a job of that publisher."""
    if claims.get("issuer") != attester.issuer:
        return False
    if attester.kind == "Google":
        return bool(attester.email) and attester.email in claims.get("subjects", "").split("\n")
    home, folder = claims.get("repository", ""), _FOLDERS.get(attester.kind)
    if folder is None or home.lower() != f"{_host(attester)}/{attester.repository}".lower():
        return False
    states = [state for state in (claims.get("commit"), claims.get("ref")) if state]
    file = f"{home}{folder}{attester.workflow}"
    return claims.get("workflow") in [f"{file}@{state}" for state in states]


_FOLDERS: Final = {"GitHub": "/.github/workflows/", "GitLab": "//"}


def _host(attester: AttestationIdentity) -> str:
    """Where the repositories are: a GitLab is its own issuer, GitHub's is elsewhere, an own GitHub's within it."""
    if attester.issuer == GITHUB:
        return "https://github.com"
    parts = urlsplit(attester.issuer)
    return attester.issuer if attester.kind == "GitLab" else f"{parts.scheme}://{parts.netloc}"
