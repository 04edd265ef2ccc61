"""Whose request it is, behind proxies, and when somebody lies about it."""

import pytest

from packhouse.base.clients import Client, client_of

TRUSTED = ("10.0.0.0/8", "fd00::/8")


def client(peer: str, trusted: tuple[str, ...] = TRUSTED, written: str = "x-forwarded-for", **headers: str) -> Client:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return client_of(peer, given.get, trusted, written=written)


@pytest.mark.parametrize(
    "headers",
    [
        {"x_forwarded_for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1;proto=https"},
        {"x_real_ip": "127.0.0.1"},
        {"x_forwarded_for": "10.0.0.9", "x_forwarded_proto": "https"},
    ],
)
def test_a_peer_that_is_no_trusted_proxy_is_the_client_whatever_it_says(headers: dict[str, str]) -> None:
    assert client("203.0.113.7:4711", **headers) == Client("203.0.113.7", "http")


def test_without_trusted_proxies_nothing_is_believed() -> None:
    assert client("10.0.0.1", (), x_forwarded_for="198.51.100.1").address == "10.0.0.1"


@pytest.mark.parametrize(
    ("headers", "address", "scheme"),
    [
        ({"x_forwarded_for": "198.51.100.1", "x_forwarded_proto": "https"}, "198.51.100.1", "https"),
        ({"x_forwarded_for": "127.0.0.1, 198.51.100.1"}, "198.51.100.1", "http"),
        ({"x_forwarded_for": "127.0.0.1, 198.51.100.1, 10.1.1.1"}, "198.51.100.1", "http"),
        ({"x_forwarded_for": "6.6.6.6, 198.51.100.1", "x_forwarded_proto": "https, http"}, "198.51.100.1", "http"),
        ({"x_forwarded_for": "10.3.3.3, 10.1.1.1"}, "10.3.3.3", "http"),
        ({"x_forwarded_for": "198.51.100.1:5000"}, "198.51.100.1", "http"),
        ({"x_forwarded_for": "198.51.100.1, <script>"}, "10.0.0.1", "http"),
        ({"x_forwarded_for": "198.51.100.1, unknown, 10.1.1.1"}, "10.1.1.1", "http"),
        ({"forwarded": "for=127.0.0.1", "x_forwarded_for": "198.51.100.1"}, "198.51.100.1", "http"),
        ({"forwarded": "for=127.0.0.1"}, "10.0.0.1", "http"),
        ({"x_forwarded_for": "198.51.100.1", "x_forwarded_proto": "gopher"}, "198.51.100.1", "http"),
        ({}, "10.0.0.1", "http"),
    ],
)
def test_from_a_trusted_proxy_the_rightmost_address_that_is_not_trusted_counts(
    headers: dict[str, str], address: str, scheme: str
) -> None:
    found = client("10.0.0.1:80", **headers)
    assert (found.address, found.scheme) == (address, scheme)


@pytest.mark.parametrize(
    ("headers", "address", "scheme"),
    [
        ({"forwarded": 'for="[2001:db8::1]:80";proto=https, for=10.1.1.1'}, "2001:db8::1", "https"),
        ({"forwarded": "for=127.0.0.1, for=198.51.100.1"}, "198.51.100.1", "http"),
        ({"forwarded": "for=_hidden"}, "10.0.0.1", "http"),
        ({"forwarded": "for=198.51.100.1", "x_forwarded_for": "127.0.0.1"}, "198.51.100.1", "http"),
        ({"x_forwarded_for": "127.0.0.1", "x_forwarded_proto": "https"}, "10.0.0.1", "http"),
        ({"forwarded": ", ,"}, "10.0.0.1", "http"),
    ],
)
def test_proxies_that_write_forwarded_are_believed_in_that_alone(
    headers: dict[str, str], address: str, scheme: str
) -> None:
    found = client("10.0.0.1:80", written="forwarded", **headers)
    assert (found.address, found.scheme) == (address, scheme)


def test_an_ipv4_peer_on_an_ipv6_socket_is_known_by_its_ipv4_address() -> None:
    assert client("[::ffff:10.0.0.1]:80", x_forwarded_for="198.51.100.1").address == "198.51.100.1"
