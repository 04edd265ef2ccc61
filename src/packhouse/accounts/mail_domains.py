"""Whether the domain of a new address is one of throw-away mail, whether it takes mail, and whose servers take it.

The list of the former is the package ``disposable-email-domains``'s.  The latter is asked of the name servers that the
setting ``mail_domain_check`` names; whom they do not answer for gets the benefit of the doubt.
"""

from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Final

import structlog
from disposable_email_domains import blocklist
from django.conf import settings

from packhouse.base.values import name_server

if TYPE_CHECKING:
    from dns.resolver import Resolver

PATIENCE: Final = 5.0
"""Seconds for each question to the name servers; somebody waits for the answers."""
MOST_SERVERS: Final = 3
"""Of how many mail servers the names behind their addresses are asked."""

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


def above(email: str) -> list[str]:
    """The domain of an address and those above it, in lower case."""
    labels = email.rpartition("@")[2].lower().rstrip(".").split(".")
    return [".".join(labels[first:]) for first in range(len(labels))]


def is_disposable(email: str) -> bool:
    """Whether the address is at, or below, a domain of throw-away mail, and such ones are not wanted."""
    return not settings.PACKHOUSE.allow_disposable_email and not blocklist.isdisjoint(above(email))


def servers(email: str) -> list[str] | None:
    """The servers that take the mail of the address's domain, as far as the name servers know; none without a check.

    None where the domain does not exist, has no server for mail (RFC 5321, section 5.1), or says that it takes no mail
    (RFC 7505).
    """
    place = settings.PACKHOUSE.mail_domain_check
    return [] if place == "none://" else _servers(email, place)


def _servers(email: str, place: str) -> list[str] | None:
    from dns.exception import DNSException  # noqa: PLC0415 (slow to import, and usually not needed)
    from email_validator import EmailSyntaxError, EmailUndeliverableError, validate_email  # noqa: PLC0415

    try:
        found = validate_email(email, dns_resolver=_resolver(place), globally_deliverable=False)
    except EmailUndeliverableError:
        return None
    except (EmailSyntaxError, DNSException) as error:  # spelling is for others to judge
        log.warning("mail-domain-unknown", error=type(error).__name__)
        return []
    return [host.lower() for _preference, host in getattr(found, "mx", None) or ()]


def names_behind(hosts: list[str]) -> list[str]:
    """What the addresses of the first of *hosts* are called in reverse (RFC 1035, section 3.5): the servers' owners."""
    from dns.exception import DNSException  # noqa: PLC0415 (see above)

    resolver, names = _resolver(settings.PACKHOUSE.mail_domain_check), []
    for host in hosts[:MOST_SERVERS]:
        with suppress(DNSException):
            for address in resolver.resolve(host, "A"):
                names += [str(name).rstrip(".").lower() for name in resolver.resolve_address(str(address))]
    return names


def probe() -> str:
    """Asks for the name servers of the root (RFC 1035); raises ``DNSException`` where nobody answers."""
    _resolver(settings.PACKHOUSE.mail_domain_check).resolve(".", "NS", raise_on_no_answer=False)
    return ""


@cache
def _resolver(place: str) -> "Resolver":
    from dns.resolver import Resolver  # noqa: PLC0415 (see above)

    chosen = name_server(place)
    resolver = Resolver(configure=chosen is None)
    if chosen is not None:
        resolver.nameservers, resolver.port = [chosen[0]], chosen[1]
    resolver.lifetime = PATIENCE
    return resolver
