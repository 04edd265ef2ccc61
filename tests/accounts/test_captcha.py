"""A captcha at registration, with a stand-in for the vendor's service."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.accounts.vendor import Service, captcha_service
from tests.accounts.visitor import make_member

from packhouse.accounts import actions, captcha
from packhouse.accounts.models import User
from packhouse.base.values import CAPTCHA, captcha_site

pytestmark = pytest.mark.django_db
FIELDS = {"hcaptcha": "h-captcha-response", "recaptcha": "g-recaptcha-response", "turnstile": "cf-turnstile-response"}


@pytest.fixture
def service(configure: Callable[..., None]) -> Iterator[Service]:
    """A vendor's service, which the index is set up for."""
    with captcha_service() as service:
        configure(captcha=f"hcaptcha://site-key?endpoint={service.url}", captcha_secret="hidden")
        yield service


@pytest.mark.parametrize("vendor", FIELDS)
def test_who_answers_is_let_in(vendor: str, service: Service, visitor: Any, configure: Callable[..., None]) -> None:
    configure(captcha=f"{vendor}://site-key?endpoint={service.url}")
    assert visitor.register(**{FIELDS[vendor]: "token"}).status_code == 302
    assert service.asked == [{"secret": "hidden", "sitekey": "site-key", "response": "token", "remoteip": "127.0.0.1"}]
    assert User.objects.get().username == "ada"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([(200, json.dumps({"success": False, "error-codes": ["already-seen-response"]}))], "Try once more"),
        ([(200, '{"success": "true"}')], "Try once more"),
        ([(500, "")] * 2, "does not answer"),
        ([(200, "[]"), (200, "nonsense")], "does not answer"),
    ],
)
def test_who_does_not_answer_rightly_is_not(
    answers: list[tuple[int, str]], told: str, service: Service, visitor: Any
) -> None:
    service.answers = [*answers]
    form = visitor.register(**{"h-captcha-response": "token"}).context["form"]
    assert told in str(form.errors["captcha"])
    assert len(service.asked) == len(answers)
    assert not User.objects.exists()


def test_a_service_that_fails_once_is_asked_again(service: Service, visitor: Any) -> None:
    service.answers = [(502, "")]
    assert visitor.register(**{"h-captcha-response": "token"}).status_code == 302
    assert len(service.asked) == 2


def test_nothing_is_asked_while_the_form_is_wrong_otherwise(service: Service, visitor: Any) -> None:
    assert "needs JavaScript" in str(visitor.register().context["form"].errors["captcha"])
    assert visitor.register(**{"email": "nonsense", "h-captcha-response": "token"}).status_code == 200
    assert service.asked == []


def test_who_is_invited_is_not_asked(service: Service, visitor: Any) -> None:
    link = urlsplit(actions.invite_person("ada@users.example", by=make_member("chief")))
    assert "h-captcha" not in visitor.get(f"{link.path}?{link.query}").content.decode()
    assert visitor.register(query=f"?{link.query}").status_code == 302
    assert service.asked == []


def test_the_page_may_use_the_vendor_and_no_other_page_may(service: Service, visitor: Any) -> None:
    page = visitor.get("/account/register/")
    assert 'data-sitekey="site-key"' in page.content.decode()
    assert "script-src 'self' https://hcaptcha.com https://*.hcaptcha.com;" in page.headers["Content-Security-Policy"]
    assert "hcaptcha" not in visitor.get("/account/login/").headers["Content-Security-Policy"]


def test_nobody_is_asked_by_default(visitor: Any) -> None:
    assert captcha.sources() == {}
    assert captcha.problem("anything", address="::1") == ""
    assert "frame-src" not in visitor.get("/account/register/").headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "text",
    ["hcaptcha://", "mcaptcha://key", "hcaptcha://key/path", "hcaptcha://k?secret=x", "turnstile://k?endpoint=x"],
)
def test_what_names_no_vendor_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        CAPTCHA.parse(text)


def test_the_key_is_read() -> None:
    assert captcha_site("turnstile://0x4AAA-b_c") == captcha_site(CAPTCHA.parse(" turnstile://0x4AAA-b_c "))
