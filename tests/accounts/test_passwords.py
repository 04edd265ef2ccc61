"""Passwords: kept, refused, changed and reset."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from tests.accounts.visitor import OTHER_PASSWORD, PASSWORD, letters, link_in, make_member, work_off

from packhouse.accounts import actions, passwords
from packhouse.accounts.models import User
from packhouse.audit.models import Event

pytestmark = pytest.mark.django_db
FORGOTTEN = "/account/request-password-reset/"


def ask(visitor: Any, typed: str) -> Any:
    response = visitor.post(FORGOTTEN, {"username_or_email": typed})
    work_off()
    return response


def reset(visitor: Any, link: str, password: str = OTHER_PASSWORD) -> Any:
    return visitor.post(link, {"password": password})


def test_a_password_is_kept_as_argon2id_of_all_its_characters(visitor: Any) -> None:
    long = "correct horse battery staple " * 7
    user = make_member(password=long)
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.matches(user, long)
    assert not passwords.matches(user, long[:-1] + "x")
    assert not passwords.matches(None, long)
    assert not passwords.matches(user, "x" * 5000)


def test_a_hash_of_other_costs_is_made_anew_when_it_is_used(visitor: Any) -> None:
    from argon2 import PasswordHasher

    user = make_member()
    User.objects.update(password="argon2" + PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD))
    assert visitor.log_in().status_code == 302
    assert visitor.is_in()
    user.refresh_from_db()
    assert "m=19456,t=2,p=1" in user.password


@pytest.mark.parametrize("typed", ["ada", "ADA", "ada@users.example", " Ada@Users.example "])
def test_a_forgotten_password_is_set_by_the_link_in_a_letter_once(visitor: Any, another: Any, typed: str) -> None:
    user = make_member()
    another.log_in()
    assert ask(visitor, typed).status_code == 200
    assert letters() == [("password-reset", user.email)]
    link = link_in("password-reset")
    assert visitor.get(link).status_code == 200
    assert reset(visitor, link).url == "/account/login/"
    assert letters("password-change") == [("password-change", user.email)]
    assert not another.is_in()
    assert not visitor.is_in()
    assert visitor.log_in(password=PASSWORD).status_code == 200
    assert visitor.log_in(password=OTHER_PASSWORD).status_code == 302
    tags = Event.objects.exclude(tag__startswith="login").order_by("pk").values_list("tag", flat=True)
    assert list(tags) == ["password:reset:request", "password:reset"]
    assert visitor.get(link).status_code == reset(visitor, link).status_code == 400


def test_whoever_sets_the_password_anew_gets_the_limits_of_the_account_back(visitor: Any) -> None:
    make_member()
    there = type(visitor)(REMOTE_ADDR="10.0.0.9")
    assert [there.log_in(password="a guess").status_code for _ in range(11)] == [200] * 10 + [429]
    assert visitor.log_in().status_code == 429
    assert ask(visitor, "ada").status_code == 200
    link = link_in("password-reset")
    for typed in ["ada"] * 4 + ["ada@users.example"] * 5:
        assert ask(visitor, typed).status_code == 200
    assert (ask(visitor, "ada").status_code, ask(visitor, "ada@users.example").status_code) == (429, 429)
    assert reset(visitor, link).status_code == 302
    assert (ask(visitor, "ada").status_code, ask(visitor, "ada@users.example").status_code) == (200, 200)
    assert visitor.log_in(password=OTHER_PASSWORD).status_code == 302
    assert there.log_in(password="a guess").status_code == 429  # what its address has used up stays so


def test_of_several_links_the_first_that_is_used_voids_the_others(visitor: Any) -> None:
    make_member()
    links = []
    for _ in range(3):
        ask(visitor, "ada")
        links.append(link_in("password-reset"))
    assert [reset(visitor, link).status_code for link in links] == [302, 400, 400]


def change_password(user: User) -> None:
    actions.change_password(user, OTHER_PASSWORD, by=user)


def lose_address(user: User) -> None:
    EmailAddress.objects.filter(user=user).update(verified=False)


def sign_in(user: User) -> None:
    from tests.accounts.visitor import Visitor

    Visitor().log_in()


def freeze(user: User) -> None:
    actions.freeze_user(user, by=None)


def promote(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_moderator=True)


@pytest.mark.parametrize("event", [change_password, lose_address, sign_in, freeze, promote])
def test_a_link_is_void_after(visitor: Any, event: Any) -> None:
    user = make_member()
    ask(visitor, "ada")
    link = link_in("password-reset")
    event(user)
    assert reset(visitor, link, "yet another phrase with words").status_code == 400


def test_a_link_is_void_after_its_time(visitor: Any, time_machine: Any) -> None:
    make_member()
    ask(visitor, "ada")
    link = link_in("password-reset")
    time_machine.move_to(time.time() + 6 * 3600 + 1)
    assert reset(visitor, link).status_code == 400


def test_a_link_for_one_purpose_is_good_for_no_other(visitor: Any) -> None:
    user = make_member()
    ask(visitor, "ada")
    token = link_in("password-reset").partition("?")[2]
    visitor.force_login(user)
    for path in ("/account/verify-email/", "/account/restore/", "/account/confirm-login/"):
        assert visitor.post(f"{path}?{token}").status_code == 400


def test_a_weak_password_is_refused_and_leaves_the_link_good(visitor: Any) -> None:
    make_member()
    ask(visitor, "ada")
    link = link_in("password-reset")
    assert "too easy" in reset(visitor, link, "ada@users.example").content.decode()
    assert reset(visitor, link).status_code == 302


def test_a_reset_does_not_take_the_second_factor_away(visitor: Any) -> None:
    user = make_member(two_factor=True)
    ask(visitor, "ada")
    reset(visitor, link_in("password-reset"))
    assert user.authenticator_set.count() == 1
    assert not visitor.is_in()


def test_a_compromised_password_is_made_good_by_a_reset(visitor: Any) -> None:
    user = make_member()
    actions.disable_password(user, reason=User.DisabledFor.COMPROMISED, by=None)
    ask(visitor, "ada")
    assert reset(visitor, link_in("password-reset")).status_code == 302
    assert visitor.log_in(password=OTHER_PASSWORD).status_code == 302


@pytest.mark.parametrize(
    "account",
    [{}, {"is_frozen": True}, {"is_active": False}, {"is_superuser": True}, {"prohibit_password_reset": True}, None],
)
def test_asking_is_answered_alike_whatever_the_account(visitor: Any, another: Any, account: Any) -> None:
    if account is not None:
        make_member(**account)
    one, other = ask(visitor, "ada"), ask(another, "nobody")
    assert (one.status_code, one.content) == (other.status_code, other.content)
    assert sorted(one.headers) == sorted(other.headers)
    assert letters() == ([("password-reset", "ada@users.example")] if account == {} else [])


def test_an_address_that_was_never_verified_gets_no_link(visitor: Any) -> None:
    user = make_member(verified=False)
    ask(visitor, user.email)
    assert letters() == [("password-reset-unverified", user.email)]
    ask(visitor, "ada")
    assert len(letters()) == 1


def test_asking_is_limited_for_each_name_that_exists_or_not(visitor: Any) -> None:
    make_member()
    for name in ("ada", "nobody"):
        statuses = [visitor.post(FORGOTTEN, {"username_or_email": name}).status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]


def test_changing_the_password_asks_for_the_present_one_and_ends_other_sessions(visitor: Any, another: Any) -> None:
    user = make_member()
    visitor.log_in()
    another.log_in()
    ask(visitor, "ada")
    form = {"current_password": "wrong", "password": OTHER_PASSWORD}
    assert list(visitor.post("/manage/account/password/", form).context["form"].errors) == ["current_password"]
    form["current_password"] = PASSWORD
    assert list(visitor.post("/manage/account/password/", form | {"password": "12345678"}).context["form"].errors) == [
        "password"
    ]
    assert visitor.post("/manage/account/password/", form).status_code == 302
    assert (visitor.is_in(), another.is_in()) == (True, False)
    assert ("password-change", user.email) in letters()
    assert reset(another, link_in("password-reset"), "yet another phrase with words").status_code == 400
    assert visitor.log_in(password=OTHER_PASSWORD).status_code == 302


# Which passwords are refused


@pytest.fixture
def range_service() -> Any:
    """A service of the range API that knows one password; ``behave`` makes it hang or break."""
    digest = "29A6A9C26C6CA0B9BEE3C5FC8B2A9EEA4DCC0AF1"  # made below, so that the password stands in one place

    class Handler(BaseHTTPRequestHandler):
        behaviour = "answer"
        released = threading.Event()
        asked: list[str] = []  # noqa: RUF012

        def do_GET(self) -> None:
            Handler.asked.append(self.path)
            if Handler.behaviour == "hang":
                Handler.released.wait(60)
            if Handler.behaviour == "break":
                self.send_error(500)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"{digest[5:]}:0\r\n{known[5:]}:12\r\n".encode())

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    import hashlib

    known = hashlib.sha1(b"breached but otherwise strong phrase").hexdigest().upper()
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    Handler.released.set()
    server.shutdown()
    server.server_close()


def test_a_breached_password_is_refused_and_only_five_digits_are_told(
    range_service: Any, configure: Any, visitor: Any
) -> None:
    url, service = range_service
    configure(breach_check=url)
    page = visitor.register(password="breached but otherwise strong phrase").content.decode()
    assert "known from a breach" in page
    assert [len(path) for path in service.asked] == [len("/range/") + 5]
    assert visitor.register().status_code == 302


@pytest.mark.parametrize("behaviour", ["hang", "break"])
def test_a_service_that_does_not_answer_holds_nobody_up(
    range_service: Any, configure: Any, visitor: Any, another: Any, behaviour: str
) -> None:
    url, service = range_service
    service.behaviour = behaviour
    configure(breach_check=url)
    make_member()
    assert visitor.log_in().status_code == 302
    assert not service.released.is_set()
    page = another.register(username="eve", password="password123456").content.decode()
    assert "too easy to guess" in page
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize("password", ["aA1!" * 1024, "4@8({[<36g9" * 372, "password" * 512, "\u1234" * 4096])
def test_estimating_a_long_password_takes_no_time(password: str) -> None:
    passwords.StrengthValidator().validate("correct horse battery staple")
    began = time.process_time()
    with contextlib.suppress(ValidationError):
        passwords.StrengthValidator().validate(password)
    assert time.process_time() - began < 0.5
