"""Which addresses may be asked for what strangers name: those of the public Internet, and networks of the operator.

A name is resolved once, every address that it has must be allowed, and the connection goes to one of exactly these:
a name that answers differently a moment later (DNS rebinding) leads nowhere else.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
COMPATIBLE: Final = ip_network("::/96")
"""IPv6 addresses that end in an IPv4 address which some routers take for the destination."""


class NotAllowed(Exception):
    """The name has an address that nobody outside could reach, or none."""


def allowed_addresses(host: str, port: int, allowed: Sequence[str], *, usual_port: bool = True) -> list[str]:
    """The addresses of *host*, to be connected to as they are.  Raises ``NotAllowed``, and ``OSError`` of the look-up.

    *allowed* are networks that count as public; only they are asked on a port that is not the *usual_port* of HTTP.
    """
    found = any_addresses(host, port)
    if not found or not all(is_allowed(text, allowed, public=usual_port) for text in found):
        raise NotAllowed(f"{host}:{port} is not of the public Internet")
    return found


def any_addresses(host: str, port: int) -> list[str]:
    """All addresses of *host*.  Raises ``OSError`` of the look-up."""
    return list(dict.fromkeys(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))


def is_allowed(text: str, allowed: Sequence[str] = (), *, public: bool = True) -> bool:
    """Whether the address lies in one of the networks *allowed*, or is public where *public* ones are asked.

    An address with a zone (``%eth0``) is never allowed.
    """
    if "%" in text:
        return False
    address = ip_address(text)
    return any(address in ip_network(network) for network in allowed) or (public and is_public(address))


def is_public(address: Address) -> bool:
    """Whether it is of the public Internet, and so is any IPv4 address that stands within it."""
    if isinstance(address, IPv6Address):
        if address.is_site_local:
            return False
        if (inner := _inner(address)) is not None:
            return is_public(inner)
    return (
        address.is_global
        and not address.is_private
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_link_local
        and not address.is_unspecified
    )


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, translated or tunnelled one leads to."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address in COMPATIBLE or any(address in network for network in NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
