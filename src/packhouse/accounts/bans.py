"""Addresses from which nobody can act, whatever they can prove: no session, no token and no sign-in counts there.

What is banned is kept in the memory of each process.  A ban or its end is seen by the processes of this machine with
their next request, since it moves the home's generation mark, and by other machines within ``KEPT_FOR``.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from django.conf import settings
from django.db.models import Count, Max, Sum, Value

from packhouse.accounts.models import BannedNetwork
from packhouse.base import clock
from packhouse.base.identity import current_request
from packhouse.base.statements import Question
from packhouse.documents import generation

KEPT_FOR: Final = 1.0
"""How long, in seconds, what other machines have banned may be unknown here."""

Network = IPv4Network | IPv6Network
Stamp = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Bans:
    """The bans by version of the protocol and length of the prefix: the prefixes as numbers, with when they end."""

    prefixes: Mapping[tuple[int, int], Mapping[int, datetime | None]] = field(default_factory=dict)

    def cover(self, text: str) -> bool:
        """Whether the address *text* is banned now.  What is no address is not."""
        if not self.prefixes:
            return False
        try:
            address = ip_address(text)
        except ValueError:
            return False
        number, now = int(address), clock.now()
        for (version, length), ends in self.prefixes.items():
            if version != address.version:
                continue
            prefix = number >> (address.max_prefixlen - length)
            if prefix in ends and ((end := ends[prefix]) is None or end > now):
                return True
        return False


@dataclass(frozen=True, slots=True)
class _Known:
    """The bans at the last look, what told then that there are no others, and when that was."""

    bans: Bans
    stamp: Stamp
    mark: bytes
    looked: float


class _Memory:
    """One assignment replaces what is known, so no lock is needed."""

    known: _Known | None = None


def is_banned(address: str | None = None) -> bool:
    """Whether nobody can act from *address*, by default the one that the request being answered comes from."""
    return _recent().cover(current_request.get().address if address is None else address)


def forget() -> None:
    """Make the next question look at the database."""
    _Memory.known = None


def network_of(text: str) -> Network:
    """The network in CIDR notation, or the single address.  Raises ``ValueError`` for anything else (RFC 4632)."""
    network = ip_network(text, strict=False)
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.network_address.ipv4_mapped:
        return ip_network(f"{network.network_address.ipv4_mapped}/{network.prefixlen - 96}")
    return network


def _recent() -> Bans:
    known, now, mark = _Memory.known, time.monotonic(), generation.of(settings.PACKHOUSE.home).read()
    if known is not None and known.mark == mark and now - known.looked < KEPT_FOR:
        return known.bans
    stamp = _STAMP.rows()[0]
    bans = known.bans if known is not None and known.stamp == stamp else _read()
    _Memory.known = _Known(bans, stamp, mark, now)
    return bans


# A ban is never changed, and the number of one that has gone is not used again: see ``actions.ban``.
_STAMP = Question(
    lambda: BannedNetwork.objects.annotate(all=Value(1)).values("all").values_list(Count("pk"), Max("pk"), Sum("pk"))
)


def _read() -> Bans:
    prefixes: dict[tuple[int, int], dict[int, datetime | None]] = {}
    for text, until in BannedNetwork.objects.values_list("network", "until"):
        network = ip_network(text)
        prefix = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
        prefixes.setdefault((network.version, network.prefixlen), {})[prefix] = until
    return Bans(prefixes)
