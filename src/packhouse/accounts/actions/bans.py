"""Banning addresses, and letting them in again."""

from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from packhouse.accounts import bans
from packhouse.accounts.models import BannedNetwork, User
from packhouse.audit import actions as audit
from packhouse.base.identity import current_request
from packhouse.documents import generation

INDEX: Final = audit.Subject("index", "index")


def ban(texts: Iterable[str], *, comment: str, until: datetime | None, by: User | None) -> int:
    """Let nobody act from these addresses and networks (CIDR), until then or for good; returns how many there are.

    One that is banned already is banned anew.  Raises ``ValidationError`` for what is neither, and for what would shut
    out whoever asks for it.
    """
    networks = sorted(
        {_network(text) for text in texts if text.strip()}, key=lambda network: (network.version, network)
    )
    if own := _with_oneself(networks):
        raise ValidationError(_("“%s” is where you are: it would shut you out.") % own)
    wanted = [str(network) for network in networks]
    with transaction.atomic():
        BannedNetwork.objects.filter(network__in=wanted).delete()
        BannedNetwork.objects.bulk_create(
            [BannedNetwork(network=network, comment=comment[:200], until=until, banned_by=by) for network in wanted],
            ignore_conflicts=True,  # another administrator bans the same at this moment
        )
        if wanted:
            end = until.isoformat() if until else None
            told = {"addresses": wanted[:100], "number": len(wanted), "until": end, "comment": comment[:200]}
            audit.record("address:ban", subject=INDEX, by=by, additional=told)
        _tell_all_processes()
    return len(wanted)


def _network(text: str) -> bans.Network:
    try:
        return bans.network_of(text.strip())
    except ValueError:
        raise ValidationError(_("“%s” is neither an address nor a network.") % text.strip()[:100]) from None


def _with_oneself(networks: Iterable[bans.Network]) -> bans.Network | None:
    """The network that the request being answered comes from."""
    try:
        here = ip_address(current_request.get().address)
    except ValueError:
        return None  # a command
    return next((network for network in networks if here.version == network.version and here in network), None)


def lift_ban(number: int, *, by: User | None) -> str:
    """End a ban; returns what was banned, or nothing where there is no such ban."""
    with transaction.atomic():
        found = BannedNetwork.objects.filter(pk=number).first()
        if found is None or not BannedNetwork.objects.filter(pk=number).delete()[0]:
            return ""
        audit.record("address:allow", subject=INDEX, by=by, additional={"address": found.network})
        _tell_all_processes()
    return str(found)


def _tell_all_processes() -> None:
    bans.forget()
    transaction.on_commit(generation.of(settings.PACKHOUSE.home).bump)
