"""Domains of throw-away mail, and domains that take no mail."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from dns import flags, message, rcode, rdatatype, rrset
from tests.accounts.visitor import make_member

from packhouse.accounts import actions, mail_domains
from packhouse.accounts.actions.users import domain_problem
from packhouse.accounts.models import User

pytestmark = pytest.mark.django_db
THROW_AWAY = "mailinator.com"
RECORDS = {
    "mail.example": {"MX": "10 mx.mail.example."},
    "web.example": {"A": "8.8.8.8"},
    "front.example": {"MX": "10 mx.hired.example."},
    "mx.hired.example": {"A": "9.9.9.9"},
    "9.9.9.9.in-addr.arpa": {"PTR": "box-7.mail.Fleeting.example."},
    "six.example": {"AAAA": "2001:4860:4860::8888"},
    "inside.example": {"A": "10.0.0.8"},
    "null.example": {"MX": "0 ."},
    "silent.example": {"TXT": '"v=spf1 -all"', "A": "8.8.8.8"},
    "empty.example": {"TXT": '"nothing of mail"'},
    "broken.example": {},
}


class NameServer(socketserver.BaseRequestHandler):
    """Answers from ``RECORDS``; what is not in them does not exist, and ``broken.example`` is an error."""

    def handle(self) -> None:
        data, socket = self.request
        query = message.from_wire(data)
        (question,) = query.question
        name, kind = question.name.to_text(omit_final_dot=True), rdatatype.to_text(question.rdtype)
        answer = message.make_response(query)
        answer.flags |= flags.RA
        if name not in RECORDS:
            answer.set_rcode(rcode.NXDOMAIN)
        elif not RECORDS[name]:
            answer.set_rcode(rcode.SERVFAIL)
        elif kind in RECORDS[name]:
            answer.answer.append(rrset.from_text(question.name, 60, "IN", kind, RECORDS[name][kind]))
        socket.sendto(answer.to_wire(), self.client_address)


@pytest.fixture
def name_server(configure: Callable[..., None]) -> Iterator[None]:
    """A name server that is asked about new addresses."""
    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), NameServer) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        configure(mail_domain_check=f"dns://127.0.0.1:{server.server_address[1]}")
        yield
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("email", [f"a@{THROW_AWAY}", f"a@Some.Box.{THROW_AWAY.title()}"])
def test_throw_away_mail_is_refused_unless_the_operator_wants_it(
    email: str, visitor: Any, configure: Callable[..., None]
) -> None:
    assert "cannot be used here" in str(visitor.register(email=email).context["form"].errors["email"])
    with pytest.raises(ValidationError, match="cannot be used here"):
        actions.add_address(make_member("grace"), email, by=None)
    configure(allow_disposable_email=True)
    assert visitor.register(email=email).status_code == 302
    assert User.objects.get(username="ada").email == email.lower()


def test_the_list_is_one_of_domains_with_few_that_people_have_for_good() -> None:
    assert len(mail_domains.blocklist) > 3000
    assert not {"gmail.com", "outlook.com", "example.org", "python.org", "com", "org"} & mail_domains.blocklist


@pytest.mark.parametrize("domain", ["mail.example", "web.example", "six.example", "broken.example"])
@pytest.mark.usefixtures("name_server")
def test_a_domain_that_takes_mail_or_that_nobody_answers_for_is_accepted(domain: str, visitor: Any) -> None:
    assert visitor.register(email=f"a@{domain}").status_code == 302


@pytest.mark.parametrize(
    "domain", ["gone.example", "null.example", "inside.example", "silent.example", "empty.example"]
)
@pytest.mark.usefixtures("name_server")
def test_a_domain_that_takes_no_mail_is_named_in_the_form(domain: str, visitor: Any) -> None:
    form = visitor.register(email=f"a@{domain}").context["form"]
    assert str(form.errors["email"].as_data()[0].message) == (
        f"{domain} takes no mail. Look whether the address is spelled right."
    )
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("prohibited", "with_servers", "kept_out"),
    [
        ("mx.mail.example", True, {"mail.example"}),
        ("hired.example", True, {"front.example"}),
        ("fleeting.example", True, {"front.example"}),
        ("fleeting.example", False, set()),
        ("ail.example", True, set()),
    ],
)
@pytest.mark.usefixtures("name_server")
def test_a_domain_can_be_prohibited_with_its_mail_servers(
    prohibited: str, with_servers: bool, kept_out: set[str]
) -> None:
    actions.prohibit_domains([prohibited], comment="", by=None, with_servers=with_servers)
    domains = ("mail.example", "front.example", "web.example", "broken.example")
    assert {domain for domain in domains if "cannot be used" in domain_problem(f"a@{domain}")} == kept_out


def test_nobody_is_kept_out_where_the_name_server_is_gone(
    visitor: Any, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socketserver.UDPServer(("127.0.0.1", 0), NameServer) as server:
        port = server.server_address[1]
    monkeypatch.setattr(mail_domains, "PATIENCE", 0.2)
    configure(mail_domain_check=f"dns://127.0.0.1:{port}")
    assert visitor.register(email="a@gone.example").status_code == 302


def test_the_name_servers_of_the_machine_are_those_of_its_configuration() -> None:
    assert mail_domains._resolver("dns://") is mail_domains._resolver("dns://")
    assert mail_domains._resolver("dns://[::1]:5353").nameservers == ["::1"]
