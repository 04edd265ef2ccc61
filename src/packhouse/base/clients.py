"""Whose request it is, when there are proxies in front.

What a request says of itself counts only where the peer, the other end of the socket, is a trusted proxy; then the
chain is read from the right, and the first address that is not a trusted proxy is the client (RFC 7239; MDN,
X-Forwarded-For).  One header is read, the one that the proxies write: what they do not write themselves they pass on
as the client sent it.  Links are never made from any of this but from ``public_url``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Header = Callable[[str], str | None]
Address = IPv4Address | IPv6Address
PAIR: Final = re.compile(r'\s*([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"\s]*)\s*')
X_FORWARDED_FOR: Final = "x-forwarded-for"
FORWARDED: Final = "forwarded"
SCHEMES: Final = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Client:
    """The client's address, and the scheme that it used with the outermost trusted proxy."""

    address: str
    scheme: str
    is_proxied: bool = False


def client_of(
    peer: str, header: Header, trusted: Sequence[str], *, written: str = X_FORWARDED_FOR, scheme: str = "http"
) -> Client:
    """The client of a request that came in from *peer*.

    *peer* is an address, with or without a port; *header* gives a request header by its lower-case name, all its lines
    joined by commas; *trusted* are networks in CIDR form; *written* is the header that trusted proxies write; *scheme*
    is that of the connection.  A chain with anything but addresses in it is not
    believed from there on: the last hop known for certain is the client.
    """
    address = _address(peer)
    if address is None or not trusted or not _is_trusted(address, tuple(trusted)):
        return Client(str(address) if address else peer, scheme)
    hops, schemes = _chain(header, written)
    for hop, hop_scheme in zip(reversed(hops), reversed(schemes), strict=True):
        scheme = hop_scheme if hop_scheme in SCHEMES else scheme
        found = _address(hop)
        if found is None:
            break
        address = found
        if not _is_trusted(address, tuple(trusted)):
            break
    return Client(str(address), scheme, is_proxied=bool(hops))


def _chain(header: Header, written: str) -> tuple[list[str], list[str]]:
    """The hops from the client to us, and the scheme that each used."""
    if written == FORWARDED:
        forwarded = header(FORWARDED) or ""
        elements = [dict(_pairs(element)) for element in forwarded.split(",") if element.strip()]
        return [element.get("for", "") for element in elements], [element.get("proto", "") for element in elements]
    hops = [hop.strip() for hop in (header(X_FORWARDED_FOR) or "").split(",") if hop.strip()]
    schemes = [item.strip().lower() for item in (header("x-forwarded-proto") or "").split(",")]
    if len(schemes) != len(hops):  # most proxies say it once, for the whole chain
        schemes = [schemes[-1]] * len(hops)
    return hops, schemes


def _pairs(element: str) -> list[tuple[str, str]]:
    return [(match[1].lower(), match[2].strip('"').lower()) for match in PAIR.finditer(element)]


def _address(text: str) -> Address | None:
    """The address in ``1.2.3.4``, ``1.2.3.4:80``, ``::1``, ``[::1]:80``; an IPv4 address in IPv6 clothes as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def _is_trusted(address: Address, trusted: tuple[str, ...]) -> bool:
    return any(address.version == network.version and address in network for network in _networks(trusted))


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(item, strict=False) for item in trusted)
