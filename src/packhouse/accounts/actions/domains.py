"""Domains of addresses: which ones are prohibited, and which ones are no longer registered."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from packhouse.accounts import domain_status
from packhouse.accounts.actions.delivery import unverify_address
from packhouse.accounts.models import AddressState, ProhibitedDomain, User
from packhouse.audit import actions as audit
from packhouse.base import clock

INDEX: Final = audit.Subject("index", "index")
DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
ASKED_EVERY: Final = timedelta(days=30)
ASKED_AGAIN: Final = timedelta(days=7)
"""When a domain is asked about again that the service did not answer for."""


def prohibit_domains(domains: Iterable[str], *, comment: str, by: User | None, with_servers: bool = False) -> int:
    """Let nobody add an address at one of *domains*, or below it; returns how many are new.

    *with_servers*: nor one whose mail is taken by servers there, which then holds also for those that are prohibited
    already.  Addresses that are there already stay.  Raises ``ValidationError`` for what is no domain.
    """
    wanted = sorted({domain.strip().lower().lstrip("@").rstrip(".") for domain in domains} - {""})
    if wrong := [domain for domain in wanted if not DOMAIN.fullmatch(domain)]:
        raise ValidationError(_("“%s” is not a domain.") % wrong[0][:100])
    with transaction.atomic():
        found = ProhibitedDomain.objects.filter(domain__in=wanted)
        known = set((found.filter(with_servers=True) if with_servers else found).values_list("domain", flat=True))
        new = [domain for domain in wanted if domain not in known]
        found.filter(domain__in=new).update(with_servers=with_servers)
        rows = [
            ProhibitedDomain(domain=domain, with_servers=with_servers, comment=comment[:200], prohibited_by=by)
            for domain in new
        ]
        ProhibitedDomain.objects.bulk_create(rows, ignore_conflicts=True)
        if new:
            told = {"domains": new[:100], "number": len(new), "with_servers": with_servers, "comment": comment[:200]}
            audit.record("email_domain:prohibit", subject=INDEX, by=by, additional=told)
    return len(new)


def allow_domain(number: int, *, by: User | None) -> str:
    """Take a prohibition back; returns the domain, or nothing where there is no such prohibition."""
    with transaction.atomic():
        found = ProhibitedDomain.objects.filter(pk=number).first()
        if found is None or not ProhibitedDomain.objects.filter(pk=number).delete()[0]:
            return ""
        audit.record("email_domain:allow", subject=INDEX, by=by, additional={"domain": found.domain})
    return found.domain


def check_domains(*, most: int) -> int:
    """Ask whether the domains of verified addresses are still registered; returns how many addresses no longer count.

    At most *most* addresses, those first that were never asked about or longest ago.  Does nothing without a service.
    """
    if not domain_status.is_set_up():
        return 0
    due = EmailAddress.objects.filter(verified=True).filter(
        Q(state__domain_checked=None) | Q(state__domain_checked__lt=clock.now() - ASKED_EVERY)
    )
    by_domain: dict[str, list[EmailAddress]] = {}
    for address in due.select_related("user").order_by(F("state__domain_checked").asc(nulls_first=True), "pk")[:most]:
        by_domain.setdefault(address.email.rpartition("@")[2], []).append(address)
    return sum(_check(domain, addresses) for domain, addresses in by_domain.items())


def _check(domain: str, addresses: list[EmailAddress]) -> int:
    is_lost = domain_status.is_lost(domain)
    checked = clock.now() if is_lost is not None else clock.now() - ASKED_EVERY + ASKED_AGAIN
    lost = 0
    for address in addresses:
        with transaction.atomic():
            AddressState.objects.update_or_create(address=address, defaults={"domain_checked": checked})
            if is_lost:
                lost += unverify_address(address, reason=AddressState.UnverifyReason.DOMAIN_STATUS)
    return lost
