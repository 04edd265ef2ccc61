"""Pictures are fetched from the public Internet and from nowhere else."""

import socket

import pytest

from packhouse.base import network
from packhouse.base.network import NotAllowed, allowed_addresses, is_allowed
from packhouse.images.fetching import NotFetched, fetch

PRIVATE = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.9"),
    *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fec0::1"),
    *("fd12:3456::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("::127.0.0.1", "::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:7f00:1::"),
    *("2002:c0a8:101::1", "fe80::1%eth0", "8.8.8.8%eth0", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
)
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"),
    "64:ff9b::808:808",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_not_asked(address):
    assert not is_allowed(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_asked(address):
    assert is_allowed(address)


def test_a_network_that_the_operator_names_counts_as_public_and_no_other_does():
    assert is_allowed("10.1.2.3", ["10.1.0.0/16"])
    assert not is_allowed("10.2.2.3", ["10.1.0.0/16"])
    assert not is_allowed("8.8.8.8", ["10.1.0.0/16"], public=False)


def test_a_name_with_one_private_address_among_public_ones_is_not_asked(monkeypatch):
    _answer(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(NotAllowed):
        allowed_addresses("both.example", 443, ())


def test_another_port_is_for_named_networks_alone(monkeypatch):
    _answer(monkeypatch, ["93.184.216.34"])
    assert allowed_addresses("one.example", 80, ()) == ["93.184.216.34"]
    with pytest.raises(NotAllowed):
        allowed_addresses("one.example", 6379, (), usual_port=False)
    assert allowed_addresses("one.example", 6379, ["93.0.0.0/8"], usual_port=False) == ["93.184.216.34"]


def test_a_name_is_looked_up_once_and_the_answer_is_what_is_connected_to(monkeypatch, origin):
    """A second look-up would be told another address: the very one that must not be asked."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    _answer(monkeypatch, lambda: next(answers))
    port = origin.url.rpartition(":")[2]
    found = fetch(f"http://rebinding.example:{port}/a.png", allowed=["127.0.0.0/8"])
    assert found.kind == "image/png"
    assert origin.heard[0]["Host"] == f"rebinding.example:{port}"
    assert next(answers) == ["10.0.0.1"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png",
        "http://localhost/a.png",
        "http://[::1]/a.png",
        "http://2130706433/a.png",
        "http://0x7f.1/a.png",
        "http://0/a.png",
        "http://169.254.169.254/latest/meta-data/",
        "http://user@127.0.0.1/a.png",
        "https://127.0.0.1/a.png",
        "ftp://127.0.0.1/a.png",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "//127.0.0.1/a.png",
        "http:///a.png",
        "http://[::ffff:127.0.0.1]/a.png",
        "http://127.0.0.1:99999/a.png",
        "http://127.0.0.1/_images/x/y",
        "http://1.1.1.1:22/",
        "http://a\r\nHost: b/",
        "",
    ],
)
def test_an_address_inside_is_refused_before_anything_is_sent(url):
    """The suite's own guard would fail the test if a connection to another machine were tried."""
    with pytest.raises(NotFetched):
        fetch(url)


@pytest.mark.parametrize("to", ["http://10.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/", "//10.0.0.1/x"])
def test_a_redirect_leads_nowhere_that_could_not_be_asked_directly(origin, to):
    origin.moved("/moved", to)
    with pytest.raises(NotFetched):
        fetch(f"{origin.url}/moved", allowed=["127.0.0.0/8"])
    assert origin.asked == {"/moved": 1}


def _answer(monkeypatch, addresses):
    """Makes every look-up answer with *addresses*."""

    def look_up(host, port, **options):
        found = addresses() if callable(addresses) else addresses
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(network.socket, "getaddrinfo", look_up)
