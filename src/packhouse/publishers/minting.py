"""From an identity token of a job to a token of this index, in one transaction; an identity token is good for one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction

from packhouse.accounts import bans
from packhouse.audit import actions as audit
from packhouse.base import clock, metrics
from packhouse.base.identity import Identity
from packhouse.flags import queries as flags
from packhouse.projects.models import Project
from packhouse.publishers import emails, issuers, limits, matching, pending, queries, verification
from packhouse.publishers.models import MintedToken, PendingPublisher, Publisher, UsedIdentity
from packhouse.publishers.providers import PROVIDERS
from packhouse.publishers.providers.provider import Claims, Issuer
from packhouse.publishers.verification import MintRefused
from packhouse.specs.errors import Refused
from packhouse.tokens import caveats, keys, macaroons
from packhouse.tokens.actions import text_of

LIFETIME: Final = timedelta(seconds=900)
ATTEMPTS: Final = 5
log: Any = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Minted:
    """The text of a token, and when it ends."""

    text: str
    expires: datetime


def mint(identity_token: str) -> Minted:
    """A token for the publisher that *identity_token* is of.  Raises ``MintRefused``."""
    try:
        minted = _mint(identity_token)
    except MintRefused as refused:
        metrics.count("packhouse_authentications", "publisher", "refused")
        raise refused from None
    metrics.count("packhouse_authentications", "publisher", "accepted")
    return minted


def burn(text: str) -> None:
    """Delete the minted token *text*, if it is one whose signature holds; says nothing either way."""
    try:
        presented = macaroons.parse(text, settings.PACKHOUSE.token_prefix)
    except macaroons.MacaroonRefused:
        return
    token = MintedToken.objects.filter(pk=presented.identifier).first()
    if token is not None and macaroons.is_signed_with(presented, keys.root_keys(bytes(token.salt))):
        token.delete()


def _mint(identity_token: str) -> Minted:
    issuer = verification.issuer_of(identity_token)
    _require_open(issuer)
    claims = verification.verify(identity_token, issuer)
    try:
        return _exchanged_in_the_end(identity_token, claims, issuer)
    except _Void as void:
        with transaction.atomic():
            for one in PendingPublisher.objects.select_for_update().filter(pk=void.pending_id):
                pending.invalidate(one)
        raise
    except matching.TakenOver:
        matching.tell_of_other_owners(issuer, claims)
        raise


def _exchanged_in_the_end(identity_token: str, claims: Claims, issuer: Issuer) -> Minted:
    """Others may be starting the very project, or trusting the very publisher: whoever loses looks again."""
    for _ in range(ATTEMPTS - 1):
        try:
            return _exchanged(identity_token, claims, issuer)
        except (IntegrityError, OperationalError):
            log.info("minting starts anew", exc_info=True)
    return _exchanged(identity_token, claims, issuer)


def _exchanged(identity_token: str, claims: Claims, issuer: Issuer) -> Minted:
    """One transaction: if it fails, nothing has happened, and the identity token can be used once more."""
    with transaction.atomic():
        _take(verification.replay_digest(identity_token, claims, issuer), verification.remembered_until(claims))
        publisher = _publisher_of(issuer, claims)
        minted = token_for(publisher, claims)
        _tell_of_environment(publisher, claims)
    return minted


def _require_open(issuer: Issuer) -> None:
    """Refuse while flags, or a ban of the address, say so."""
    name = issuers.provider_of(issuer).name
    if not issuers.is_enabled(issuer.kind):
        raise MintRefused("not-enabled", f"{name} trusted publishing functionality not enabled")
    if flags.is_on("read-only"):
        raise MintRefused("not-enabled", "the index is read-only at the moment")
    if bans.is_banned():
        raise MintRefused("address-banned", "the administrators have banned the address that the request came from")


class _StartsNothing(MintRefused):
    """The project of a pending publisher cannot be started."""


class _Void(_StartsNothing):
    """A pending publisher whose project exists."""

    def __init__(self, pending_id: UUID) -> None:
        super().__init__("invalid-pending-publisher", "valid token, but project already exists")
        self.pending_id = pending_id


def _publisher_of(issuer: Issuer, claims: Claims) -> Publisher:
    """The publisher, pending or not.  A pending one that comes to nothing stands in the way of no other."""
    try:
        with transaction.atomic():
            return _reified(issuer, claims) or matching.publisher_of(issuer, claims)
    except _StartsNothing as refused:
        try:
            return matching.publisher_of(issuer, claims)
        except MintRefused:
            raise refused from None


def _reified(issuer: Issuer, claims: Claims) -> Publisher | None:
    """The publisher that was pending until now, if one was: its project is started."""
    found = matching.pending_of(issuer, claims)
    if found is None:
        return None
    if not (decision := pending.may_start_projects(found.user)):
        raise _StartsNothing("invalid-payload", f"the project cannot be started: {decision.reason}")
    try:
        publisher = pending.reify(found, issuers.provider_of(issuer).pin(claims))
    except Refused as refused:
        if refused.code in {"project-name-exists", "project-name-too-similar"}:
            raise _Void(found.pk) from refused
        raise _StartsNothing("invalid-payload", refused.message) from refused
    limits.clear(found.user)
    return publisher


def _tell_of_environment(publisher: Publisher, claims: Claims) -> None:
    """Tell owners of an environment that could be asked for, where it is clear which project is meant."""
    environment, projects = claims.get("environment"), list(publisher.projects.all()[:2])
    if (
        publisher.fields.get("environment") == ""
        and isinstance(environment, str)
        and environment
        and len(projects) == 1
    ):
        emails.environment_ignored(projects[0], publisher, environment=environment[:255])


def _take(digest: str, until: datetime) -> None:
    """Take an identity token, which nobody can do twice.  Comes to nothing if no token is minted."""
    try:
        with transaction.atomic():
            UsedIdentity(digest=digest, expires=until).save(force_insert=True)
    except IntegrityError:
        raise MintRefused("invalid-reuse-token", "invalid token: already used") from None


def token_for(publisher: Publisher, claims: Claims) -> Minted:
    """A token of *publisher*, for the projects that trust it now; in the caller's transaction."""
    now = clock.now()
    projects = list(publisher.projects.order_by("pk"))
    start = int(now.timestamp())
    fences: list[caveats.Caveat] = [
        caveats.OIDCPublisher(str(publisher.pk)),
        caveats.ProjectID(tuple(str(project.uid) for project in projects)),
        caveats.Expiration(expires_at=start + int(LIFETIME.total_seconds()), not_before=start),
    ]
    kept = {name: claims[name] for name in PROVIDERS[publisher.kind].kept if isinstance(claims.get(name), str)}
    token = MintedToken(
        publisher=publisher, caveats=[fence.fields() for fence in fences], claims=kept, expires=now + LIFETIME
    )
    token.save(force_insert=True)
    for project in projects:
        _record(project, publisher, token)
    return Minted(text_of(token.pk, bytes(token.salt), fences), token.expires)


def _record(project: Project, publisher: Publisher, token: MintedToken) -> None:
    about: dict[str, Any] = {
        "publisher": publisher.kind,
        "id": str(publisher.pk),
        "specifier": queries.words_of(publisher),
        "url": queries.url_of(publisher),
        "claims": token.claims,
        "expires": int(token.expires.timestamp()),
    }
    audit.record(
        "account:short_lived_api_token:added",
        subject=audit.Subject("project", str(project.uid), project.name),
        by=Identity(kind="publisher", publisher=queries.known(publisher, token.claims)),
        additional=about,
    )
