"""Who a publisher is, whom it is trusted by, and whom a request with its token speaks for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from packhouse.accounts.models import User
from packhouse.base import clock
from packhouse.base.identity import Identity, TokenGrant
from packhouse.base.identity import Publisher as Known
from packhouse.base.statements import Asked, Question
from packhouse.projects.models import Project
from packhouse.projects.queries import role_of
from packhouse.publishers.issuers import provider_of
from packhouse.publishers.models import Link, MintedToken, Publisher, Trusted
from packhouse.publishers.providers.provider import Issuer
from packhouse.tokens import macaroons
from packhouse.tokens import queries as tokens


def identify(authorization: str | None) -> Identity:
    """As ``tokens.queries.identify``, for doors that take minted tokens too."""
    return tokens.identify(authorization, _of_publisher)


def is_trusted(publisher_id: UUID, project_id: int) -> bool:
    """Whether the project trusts the publisher now."""
    return _TRUST.exists(publisher_id, project_id)


def asked_trust(publisher_id: UUID, project_id: int) -> Asked:
    """What `is_trusted` asks."""
    return _TRUST, publisher_id, project_id


_TRUST = Question(
    lambda publisher, project: Link.objects.filter(publisher_id=publisher, project_id=project).values_list("pk"),
    UUID,
    int,
)


def issuer_of(trusted: Trusted) -> Issuer:
    return Issuer(trusted.kind, trusted.issuer)


def words_of(trusted: Trusted) -> str:
    """The publisher in one line."""
    return provider_of(issuer_of(trusted)).words(trusted.fields)


def url_of(trusted: Trusted) -> str:
    """Where people see what the publisher runs; empty where there is no such place."""
    return provider_of(issuer_of(trusted)).url(trusted.fields, issuer_of(trusted))


def known(publisher: Publisher, claims: dict[str, str]) -> Known:
    """The publisher as uploads carry it."""
    issuer = issuer_of(publisher)
    provider = provider_of(issuer)
    return Known(
        id=publisher.pk,
        kind=publisher.kind,
        words=provider.words(publisher.fields),
        source=provider.source(publisher.fields, issuer),
        claims=claims,
        attestation_identity=provider.attestation_identity(publisher.fields, issuer),
    )


def _of_publisher(presented: macaroons.Presented) -> tuple[bytes, Identity] | None:
    token = MintedToken.objects.filter(pk=presented.identifier).select_related("publisher").first()
    if token is None:
        return None
    identity = Identity(
        kind="publisher",
        credential="publisher-token",
        token=TokenGrant(
            id=token.pk,
            description=words_of(token.publisher),
            caveats=tokens.united_caveats(presented, token.caveats),
            last_used=clock.now(),
        ),
        publisher=known(token.publisher, token.claims),
    )
    return bytes(token.salt), identity


@dataclass(frozen=True, slots=True)
class Shown:
    """A publisher as pages show it.  ``added_by`` is empty where nobody knows; ``has_left``: is no collaborator."""

    id: UUID
    provider: str
    words: str
    url: str
    created: datetime
    added_by: str = ""
    has_left: bool = False
    can_be_constrained: bool = False
    project_name: str = ""
    is_pinned: bool = True


def trust_of(project: Project) -> list[Shown]:
    """Whom the project trusts, the oldest first."""
    links = project.publisher_links.select_related("publisher", "added_by").order_by("created", "pk")
    return [
        Shown(
            **_shown(link.publisher),
            created=link.created,
            added_by=link.added_by.username if link.added_by else "",
            has_left=link.added_by is not None and role_of(link.added_by_id, project) is None,
            can_be_constrained=link.publisher.fields.get("environment") == "",
            is_pinned=bool(link.publisher.pinned) or link.publisher.kind != "gitlab",
        )
        for link in links
    ]


def pending_of(user: User) -> list[Shown]:
    """The user's pending publishers, the oldest first."""
    found = user.pending_publishers.order_by("created", "pk")
    return [Shown(**_shown(one), created=one.created, project_name=one.project_name) for one in found]


def _shown(trusted: Trusted) -> dict[str, Any]:
    return {
        "id": trusted.pk,
        "provider": trusted.get_kind_display(),
        "words": words_of(trusted),
        "url": url_of(trusted),
    }
