"""Whether the domain of a new address is one of throw-away mail, and whether it takes mail at all.

The list of the former is the package ``disposable-email-domains``'s.  The latter is asked of the name servers that the
setting ``mail_domain_check`` names; whom they do not answer for gets the benefit of the doubt.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

import structlog
from disposable_email_domains import blocklist
from django.conf import settings

from packhouse.base.values import name_server

if TYPE_CHECKING:
    from dns.resolver import Resolver

PATIENCE: Final = 5.0
"""Seconds for all that one address asks of the name servers; somebody waits for it."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def above(email: str) -> list[str]:
    """The domain of an address and those above it, in lower case."""
    labels = email.rpartition("@")[2].lower().rstrip(".").split(".")
    return [".".join(labels[first:]) for first in range(len(labels))]


def is_disposable(email: str) -> bool:
    """Whether the address is at, or below, a domain of throw-away mail, and such ones are not wanted."""
    return not settings.PACKHOUSE.allow_disposable_email and not blocklist.isdisjoint(above(email))


def takes_mail(email: str) -> bool:
    """Whether letters can reach the address's domain, as far as the name servers know.

    False where the domain does not exist, has no server for mail (RFC 5321, section 5.1), or says that it takes none
    (RFC 7505).
    """
    place = settings.PACKHOUSE.mail_domain_check
    return place == "none://" or _takes_mail(email, place)


def _takes_mail(email: str, place: str) -> bool:
    from dns.exception import DNSException  # noqa: PLC0415 (slow to import, and usually not needed)
    from email_validator import EmailSyntaxError, EmailUndeliverableError, validate_email  # noqa: PLC0415

    try:
        validate_email(email, dns_resolver=_resolver(place), globally_deliverable=False)
    except EmailUndeliverableError:
        return False
    except (EmailSyntaxError, DNSException) as error:  # spelling is for others to judge
        log.warning("mail-domain-unknown", error=type(error).__name__)
    return True


@cache
def _resolver(place: str) -> "Resolver":
    from dns.resolver import Resolver  # noqa: PLC0415 (see above)

    chosen = name_server(place)
    resolver = Resolver(configure=chosen is None)
    if chosen is not None:
        resolver.nameservers, resolver.port = [chosen[0]], chosen[1]
    resolver.lifetime = PATIENCE
    return resolver
