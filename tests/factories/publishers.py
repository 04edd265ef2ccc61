"""Trusted publishers, and tokens of theirs."""

from typing import Any

from django.db import transaction

from packhouse.accounts.models import User
from packhouse.projects.models import Project
from packhouse.publishers.minting import token_for
from packhouse.publishers.models import PendingPublisher, Publisher
from packhouse.publishers.pending import add_pending
from packhouse.publishers.providers import PROVIDERS
from packhouse.publishers.providers.provider import Issuer, address
from packhouse.publishers.wanted import Wanted

FIELDS: dict[str, dict[str, str]] = {
    "github": {"owner": "Acme", "repository": "Demo", "workflow": "release.yml", "environment": ""},
    "gitlab": {"namespace": "acme/tools", "project": "demo", "workflow": "ci/release.yml", "environment": ""},
    "google": {"email": "job@acme.iam.gserviceaccount.com", "subject": ""},
    "activestate": {"organization": "acme", "project": "demo", "actor": "ada"},
}
PINS = {"github": "1001", "gitlab": "2002", "google": "", "activestate": "3003"}


def make_publisher(
    *projects: Project, kind: str = "github", issuer: str = "", pinned: str | None = None, **fields: str
) -> Publisher:
    """A publisher that the projects trust; the fields are its provider's, by default those of ``FIELDS``."""
    provider = PROVIDERS[kind]
    whole = FIELDS[kind] | fields
    at = Issuer(kind, issuer or provider.issuer)
    publisher = Publisher.objects.create(
        kind=kind,
        issuer=at.url,
        fields=whole,
        address=address(provider, at, whole),
        pinned=PINS[kind] if pinned is None else pinned,
    )
    publisher.projects.add(*projects)
    return publisher


def make_pending_publisher(
    user: User, name: str = "coming", *, kind: str = "github", **fields: str
) -> PendingPublisher:
    """A publisher that is to start the project *name* for the user; the fields as of ``make_publisher``."""
    wanted = Wanted(Issuer(kind, PROVIDERS[kind].issuer), FIELDS[kind] | fields, PINS[kind])
    return add_pending(user=user, project_name=name, wanted=wanted)


def make_minted_token(publisher: Publisher, **claims: Any) -> str:
    """The text of a token as a job of the publisher gets it; the claims that are kept can be given."""
    with transaction.atomic():
        return token_for(publisher, {"ref": "refs/tags/v1", "sha": "0123abc"} | claims).text
