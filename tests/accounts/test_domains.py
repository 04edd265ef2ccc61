"""Domains of addresses: prohibited ones, and ones that nobody holds any more."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from tests.accounts.visitor import make_member
from tests.factories.accounts import make_user, signed_in

from packhouse.accounts import actions
from packhouse.accounts.models import AddressState, ProhibitedDomain, User
from packhouse.audit.models import Event
from packhouse.base import clock

pytestmark = pytest.mark.django_db
PAGE = "/console/email-domains/"


@pytest.mark.parametrize("email", ["a@throwaway.example", "a@Mail.ThrowAway.example"])
def test_nobody_registers_with_or_adds_an_address_at_a_prohibited_domain(email: str, visitor: Any) -> None:
    actions.prohibit_domains(["throwaway.example"], comment="", by=None)
    form = visitor.register(email=email).context["form"]
    assert "cannot be used here" in str(form.errors["email"])
    assert not User.objects.exists()
    with pytest.raises(ValidationError, match="cannot be used here"):
        actions.add_address(make_member("ada"), email, by=None)
    with pytest.raises(ValidationError, match="cannot be used here"):
        actions.register_identified({"email": email}, provider="sso", uid="7", service="SSO")


def test_domains_that_only_end_alike_are_others(visitor: Any) -> None:
    actions.prohibit_domains(["throwaway.example"], comment="", by=None)
    assert visitor.register(email="a@not-throwaway.example").status_code == 302


def test_servers_can_be_prohibited_later_and_stay_so() -> None:
    chief = signed_in(make_user("chief", is_superuser=True))
    for more in ({}, {"with_servers": "on"}, {}):
        assert chief.post(PAGE, {"domains": "one.example", "comment": "", **more}).url == PAGE
    assert [*ProhibitedDomain.objects.values_list("domain", "with_servers")] == [("one.example", True)]
    assert "and its servers" in chief.get(PAGE).content.decode()


def test_a_list_is_pasted_into_the_console_and_one_is_allowed_again() -> None:
    chief = signed_in(make_user("chief", is_superuser=True))
    pasted = "One.example, @two.example\nthree.example.\none.example"
    assert chief.post(PAGE, {"domains": pasted, "comment": "throw-away"}).url == PAGE
    assert [*ProhibitedDomain.objects.order_by("domain").values_list("domain", flat=True)] == [
        "one.example",
        "three.example",
        "two.example",
    ]
    found = chief.get(PAGE, {"find": "TWO"}).content.decode()
    assert ("two.example" in found, "three.example" in found) == (True, False)
    number = ProhibitedDomain.objects.get(domain="two.example").pk
    assert chief.post(f"{PAGE}{number}/allow/").url == PAGE
    assert ProhibitedDomain.objects.count() == 2
    tags = Event.objects.filter(tag__startswith="email_domain:").order_by("pk").values_list("tag", "actor")
    assert [*tags] == [("email_domain:prohibit", "chief"), ("email_domain:allow", "chief")]


@pytest.mark.parametrize("text", ["no domain", "-a.example", "a@b@c", "localhost", "a..example"])
def test_what_is_no_domain_is_refused(text: str) -> None:
    page = signed_in(make_user(is_superuser=True)).post(PAGE, {"domains": text})
    assert (page.status_code, ProhibitedDomain.objects.exists()) == (200, False)


def test_other_staff_only_look() -> None:
    actions.prohibit_domains(["throwaway.example"], comment="", by=None)
    support = signed_in(make_user(is_support=True))
    page = support.get(PAGE)
    assert (page.status_code, "Allow again" in page.content.decode()) == (200, False)
    number = ProhibitedDomain.objects.get().pk
    assert support.post(PAGE, {"domains": "more.example"}).status_code == 403
    assert support.post(f"{PAGE}{number}/allow/").status_code == 403


@pytest.fixture
def service(configure: Any) -> Iterator[Any]:
    """A service that knows which domains are registered; it is asked from now on."""

    class Handler(BaseHTTPRequestHandler):
        states = {"gone.example": "undelegated inactive", "here.example": "active"}  # noqa: RUF012
        asked: list[tuple[str, str]] = []  # noqa: RUF012

        def do_GET(self) -> None:
            (domain,) = parse_qs(urlsplit(self.path).query)["domain"]
            self.asked.append((domain, self.headers["Fastly-Key"]))
            if domain not in self.states:
                self.send_error(500)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"domain": domain, "status": self.states[domain]}).encode())

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    configure(domain_status=f"http://127.0.0.1:{server.server_port}/status", domain_status_key="the key")
    yield Handler
    server.shutdown()
    server.server_close()


def members(*domains: str) -> None:
    for number, domain in enumerate(domains):
        user = make_user(f"user-of-{number}")
        EmailAddress.objects.filter(user=user).update(email=f"user-{number}@{domain}")


def test_addresses_at_a_domain_that_nobody_holds_are_no_longer_verified(service: Any, time_machine: Any) -> None:
    members("gone.example", "here.example", "gone.example", "silent.example")
    assert actions.check_domains(most=100) == 2
    assert sorted(service.asked) == [(name, "the key") for name in ("gone.example", "here.example", "silent.example")]
    lost = EmailAddress.objects.filter(verified=False)
    assert {address.email for address in lost} == {"user-0@gone.example", "user-2@gone.example"}
    reasons = AddressState.objects.filter(address__in=lost).values_list("unverify_reason", flat=True)
    assert {*reasons} == {AddressState.UnverifyReason.DOMAIN_STATUS}
    assert Event.objects.filter(tag="email:unverified").count() == 2

    service.asked.clear()
    assert actions.check_domains(most=100) == 0
    assert service.asked == []
    time_machine.move_to(clock.now() + timedelta(days=8))
    actions.check_domains(most=100)
    assert [name for name, _key in service.asked] == ["silent.example"]
    time_machine.move_to(clock.now() + timedelta(days=31))
    service.asked.clear()
    actions.check_domains(most=1)
    assert len(service.asked) == 1


def test_without_a_service_nobody_is_asked() -> None:
    members("gone.example")
    assert actions.check_domains(most=100) == 0
    assert not AddressState.objects.exists()
