"""Questions about users."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet

from packhouse.accounts import bans, mail_domains
from packhouse.accounts.models import (
    AddressState,
    BannedNetwork,
    Device,
    Invitation,
    ProhibitedDomain,
    TermsEngagement,
    User,
)
from packhouse.base import clock
from packhouse.base.agents import parse
from packhouse.base.identity import Credential, Identity
from packhouse.base.statements import Question

SECOND_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as a second factor.  Recovery codes alone do not."""


def has_verified_primary_email(user: User) -> bool:
    return _VERIFIED.exists(user.pk)


_VERIFIED = Question(
    lambda user: EmailAddress.objects.filter(user=user, primary=True, verified=True).values_list("pk"), int
)


def has_two_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS).exists())


def verified_primary_email_exists(user_id: str) -> Exists:
    """``has_verified_primary_email`` as an annotation; *user_id* is the path to the user's key in the outer query."""
    return Exists(EmailAddress.objects.filter(user_id=OuterRef(user_id), primary=True, verified=True))


def two_factor_exists(user_id: str) -> Exists:
    """``has_two_factor`` as an annotation; *user_id* is the path to the user's key in the outer query."""
    return Exists(Authenticator.objects.filter(user_id=OuterRef(user_id), type__in=SECOND_FACTORS))


def identity_of(user: User, *, credential: Credential = "session") -> Identity:
    """The identity of a user who has proved it in another way than by a token.  Two queries."""
    return Identity(
        kind="user",
        user_id=user.pk,
        user_uid=user.uid,
        username=user.username,
        credential=credential,
        two_factor=has_two_factor(user),
        verified_email=has_verified_primary_email(user),
    )


def user_named(username: str) -> User | None:
    """The user of that name in any case."""
    return User.objects.filter(username__iexact=username).first()


def addresses_of(user: User) -> list[EmailAddress]:
    """The user's addresses, the primary one first."""
    return list(EmailAddress.objects.filter(user=user).order_by("-primary", "-verified", "email"))


@dataclass(frozen=True, slots=True)
class SessionShown:
    """One session of a user, as its list shows it."""

    number: int
    agent: str
    address: str
    created: datetime
    last_used: datetime
    is_current: bool


def standing_of(user: User, address: str) -> tuple[bool, bool]:
    """Whether *address* is verified as the user's, and whether letters to it came back or were called spam."""
    is_verified, reason = _STANDING.first(user.pk, address) or (False, "")
    return is_verified, reason in AddressState.RETURNED


_STANDING = Question(
    lambda user, address: EmailAddress.objects.filter(user=user, email=address).values_list(
        "verified", "state__unverify_reason"
    ),
    int,
    str,
)


def sessions_of(user: User, *, current: str | None) -> list[SessionShown]:
    """The user's living sessions, the one that asks first, then by last use."""
    living = Session.objects.filter(session_key=OuterRef("session_key"), expire_date__gt=clock.now())
    rows = UserSession.objects.filter(Exists(living), user=user).order_by("-last_seen_at")
    shown = [
        SessionShown(
            row.pk, parse(row.user_agent).label, row.ip, row.created_at, row.last_seen_at, row.session_key == current
        )
        for row in rows
    ]
    return sorted(shown, key=lambda session: not session.is_current)


def has_new_terms(user: User) -> bool:
    """Whether there are terms of service that the user has neither agreed to nor looked at in this revision."""
    if not settings.PACKHOUSE.terms_url:
        return False
    known = (TermsEngagement.Kind.AGREED, TermsEngagement.Kind.VIEWED)
    engaged = TermsEngagement.objects.filter(user=user, revision=settings.PACKHOUSE.terms_revision, kind__in=known)
    return not engaged.exists()


def invitations() -> QuerySet[Invitation]:
    """All invitations, the newest first."""
    return Invitation.objects.select_related("invited_by", "used_by").order_by("-created", "-pk")


def is_prohibited(email: str) -> bool:
    """Whether administrators let nobody have an address at that domain, or at one above it."""
    return ProhibitedDomain.objects.filter(domain__in=mail_domains.above(email)).exists()


def are_prohibited_servers(hosts: list[str]) -> bool:
    """Whether mail that goes to these servers goes to ones that are prohibited, by their names or the names behind."""
    prohibited = ProhibitedDomain.objects.filter(with_servers=True)
    if not hosts or not prohibited.exists():
        return False
    names = (*hosts, *mail_domains.names_behind(hosts))
    return prohibited.filter(domain__in={domain for name in names for domain in mail_domains.above(name)}).exists()


def prohibited_domains(find: str = "") -> QuerySet[ProhibitedDomain]:
    """The prohibited domains whose name contains *find*, by name."""
    return ProhibitedDomain.objects.filter(domain__icontains=find).order_by("domain")


def banned_networks(find: str = "") -> QuerySet[BannedNetwork]:
    """The bans, the newest first: all, those that cover the address *find*, or those whose text contains it."""
    known = BannedNetwork.objects.order_by("-at", "-pk")
    try:
        network = bans.network_of(find)
    except ValueError:
        return known.filter(network__icontains=find)
    return known.filter(network__in=[str(above) for above in _and_above(network)])


def _and_above(network: bans.Network) -> Iterator[bans.Network]:
    """The network and all that it lies in, at most 129."""
    yield network
    while network.prefixlen:
        yield (network := network.supernet())


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """A browser that somebody has signed in with."""

    username: str
    agent: str
    last_used: datetime


def devices_at(address: str, *, most: int) -> list[DeviceSeen]:
    """The browsers that were last used from that very address, the latest first; none without one."""
    if not address:
        return []
    found = Device.objects.filter(address=address).select_related("user").order_by("-last_used", "-pk")[:most]
    return [DeviceSeen(row.user.username, parse(row.user_agent).label, row.last_used) for row in found]
