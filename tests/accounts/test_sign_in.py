"""Signing in and out, and what a session is worth."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.accounts.visitor import OTHER_PASSWORD, PASSWORD, letters, link_in, make_member

from packhouse.accounts import actions, passwords
from packhouse.accounts.models import Device, User
from packhouse.audit.models import Event
from packhouse.base import clock

pytestmark = pytest.mark.django_db


def body(response: Any) -> bytes:
    """The page without its one-time token."""
    token = response.context["csrf_token"]
    return bytes(response.content).replace(str(token).encode(), b"")


def test_signing_in_begins_a_session_and_leaves_a_trail(visitor: Any) -> None:
    user = make_member()
    response = visitor.log_in("ADA")
    assert (response.status_code, response.url) == (302, "/manage/projects/")
    assert visitor.is_in()
    event = Event.objects.get()
    assert (event.tag, event.actor, event.address) == ("login:success", "ada", "127.0.0.1")
    user.refresh_from_db()
    assert user.last_login is not None
    assert UserSession.objects.get().ip == "127.0.0.1"
    assert Device.objects.get().confirmed_at


def test_who_was_sent_to_sign_in_goes_on_from_there(visitor: Any) -> None:
    make_member()
    path = visitor.get("/manage/account/password/").url
    assert path == "/account/login/?next=%2Fmanage%2Faccount%2Fpassword%2F"
    assert visitor.log_in(next="/manage/account/password/").url == "/manage/account/password/"


@pytest.mark.parametrize(
    "trap", ["https://evil.example/", "//evil.example", "/\\evil.example", "/%09/evil.example", "///x", "javascript:x"]
)
def test_nobody_is_sent_to_another_site(visitor: Any, trap: str) -> None:
    make_member()
    assert visitor.log_in(next=trap).url == "/manage/projects/"
    assert visitor.get("/account/login/", {"next": trap}).url == "/manage/projects/"


STATES: dict[str, dict[str, Any]] = {
    "normal": {},
    "frozen": {"is_frozen": True},
    "disabled": {"disabled_for": "admin initiated"},
    "deleted": {"is_active": False},
    "admin": {"is_superuser": True},
    "without-password": {"password": None},
}


@pytest.mark.parametrize("state", STATES)
def test_a_wrong_password_is_answered_alike_whatever_the_account(visitor: Any, another: Any, state: str) -> None:
    make_member("ada", **STATES[state])
    wrong, absent = visitor.log_in("ada", "not the password"), another.log_in("eve", "not the password")
    assert wrong.status_code == absent.status_code == 200
    assert sorted(wrong.headers) == sorted(absent.headers)
    assert sorted(wrong.cookies) == sorted(absent.cookies)
    assert body(wrong).replace(b"ada", b"eve") == body(absent)
    assert list(Event.objects.values_list("tag", flat=True)) == ["login:failure"] * 2
    assert not visitor.is_in()


@pytest.mark.parametrize(("state", "says"), [("frozen", "suspended"), ("disabled", "no longer works")])
def test_whoever_knows_the_password_hears_why_it_does_not_work(visitor: Any, state: str, says: str) -> None:
    make_member(**STATES[state])
    assert says in visitor.log_in().content.decode()
    assert not visitor.is_in()


def test_an_address_in_the_place_of_the_name_is_explained(visitor: Any) -> None:
    make_member()
    assert list(visitor.log_in("ada@users.example").context["form"].errors) == ["username"]


def test_failures_are_limited_for_a_name_in_any_case_whether_it_exists_or_not(visitor: Any) -> None:
    make_member()
    for name in ("ada", "eve"):
        answers = [type(visitor)(REMOTE_ADDR=f"10.0.{len(name)}.{n}").log_in(name, "wrong") for n in range(10)]
        assert {answer.status_code for answer in answers} == {200}
        last = type(visitor)(REMOTE_ADDR="10.1.0.1").log_in(name.upper(), PASSWORD)
        assert (last.status_code, "Retry-After" in last.headers) == (429, True)


def test_failures_are_limited_for_an_address(visitor: Any) -> None:
    make_member()
    statuses = [visitor.log_in(f"user{number}", "wrong").status_code for number in range(11)]
    assert statuses == [200] * 10 + [429]
    assert visitor.log_in().status_code == 429
    assert type(visitor)(REMOTE_ADDR="10.0.0.9").log_in().status_code == 302


def test_failures_are_limited_in_total(visitor: Any, configure: Any) -> None:
    make_member()
    configure(sign_in_limit_total="3 per 5 minutes")
    for number in range(3):
        type(visitor)(REMOTE_ADDR=f"10.0.0.{number}").log_in(f"user{number}", "wrong")
    assert type(visitor)(REMOTE_ADDR="10.0.0.9").log_in().status_code == 429


def test_successes_use_up_no_limit(visitor: Any) -> None:
    make_member()
    for _ in range(12):
        assert type(visitor)().log_in().status_code == 302


def test_a_session_gets_a_new_id_and_csrf_token_when_it_begins(visitor: Any) -> None:
    make_member()
    visitor.get("/account/login/")
    session = visitor.session
    session["before"] = "1"
    session.save()
    visitor.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    old_key, old_csrf = session.session_key, visitor.cookies[settings.CSRF_COOKIE_NAME].value
    visitor.log_in()
    assert visitor.session.session_key != old_key
    assert visitor.cookies[settings.CSRF_COOKIE_NAME].value != old_csrf
    assert not Session.objects.filter(session_key=old_key).exists()


@pytest.mark.parametrize("change", [{"is_frozen": True}, {"is_active": False}, {"disabled_for": "admin initiated"}])
def test_a_session_ends_with_the_next_request_when_its_user_may_not_act(visitor: Any, change: dict[str, Any]) -> None:
    make_member()
    visitor.log_in()
    User.objects.update(**change)
    assert not visitor.is_in()


def test_in_the_place_of_a_session_that_ended_another_user_signs_in(visitor: Any) -> None:
    make_member("ada", is_frozen=True)
    make_member("eve")
    visitor.force_login(User.objects.get(username="ada"))
    assert visitor.log_in("eve").status_code == 302
    assert visitor.is_in()


def test_freezing_ends_sessions_for_good(visitor: Any) -> None:
    user = make_member()
    visitor.log_in()
    actions.freeze_user(user, by=None, reason="a test")
    assert not visitor.is_in()
    assert actions.unfreeze_user(user, by=None)
    assert not visitor.is_in()
    assert letters() == [("account-frozen", user.email), ("account-unfrozen", user.email)]


def test_signing_out_asks_first_and_ends_the_session(visitor: Any) -> None:
    make_member()
    visitor.log_in()
    key = visitor.session.session_key
    assert visitor.get("/account/logout/").status_code == 200
    assert visitor.is_in()
    assert visitor.post("/account/logout/", {"next": "//evil.example"}).url == "/"
    assert not visitor.is_in()
    assert not Session.objects.filter(session_key=key).exists()
    assert not UserSession.objects.exists()


def test_a_request_in_flight_does_not_bring_a_session_back(visitor: Any) -> None:
    make_member()
    visitor.log_in()
    in_flight = visitor.session
    in_flight["more"] = 1
    visitor.post("/account/logout/")
    with pytest.raises(UpdateError):
        in_flight.save()
    assert not Session.objects.filter(session_key=in_flight.session_key).exists()


def test_sessions_are_listed_and_revoked_one_by_one_or_all(visitor: Any, another: Any) -> None:
    user = make_member()
    visitor.log_in()
    another.log_in()
    third = type(visitor)(HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    third.log_in()
    page = visitor.get("/manage/account/sessions/")
    assert len(page.context["sessions"]) == 3
    assert "Firefox" in page.content.decode()
    assert page.context["sessions"][0].is_current
    number = UserSession.objects.get(session_key=another.session.session_key).pk
    assert visitor.post(f"/manage/account/sessions/{number}/revoke/").status_code == 302
    assert (visitor.is_in(), another.is_in(), third.is_in()) == (True, False, True)
    visitor.post("/manage/account/sessions/revoke-others/")
    assert (visitor.is_in(), third.is_in()) == (True, False)
    assert Event.objects.filter(tag="session:revoked", actor=user.username).count() == 2


def test_nobody_revokes_the_session_of_another(visitor: Any, another: Any) -> None:
    make_member("ada")
    make_member("eve")
    visitor.log_in("ada")
    another.log_in("eve")
    number = UserSession.objects.get(user__username="ada").pk
    foreign, random = (another.post(f"/manage/account/sessions/{n}/revoke/") for n in (number, 123_456))
    assert foreign.status_code == random.status_code == 404
    assert visitor.is_in()


def test_a_session_is_noted_again_after_some_minutes(visitor: Any, time_machine: Any) -> None:
    make_member()
    time_machine.move_to(clock.now(), tick=False)
    visitor.log_in()
    before = UserSession.objects.get().last_seen_at
    time_machine.shift(timedelta(minutes=4))
    visitor.is_in()
    assert UserSession.objects.get().last_seen_at == before
    time_machine.shift(timedelta(minutes=4))
    visitor.get("/manage/account/sessions/", REMOTE_ADDR="10.0.0.7")
    noted = UserSession.objects.get()
    assert (noted.last_seen_at, noted.ip) == (clock.now(), "10.0.0.7")


def test_a_session_that_is_not_used_ends(visitor: Any, time_machine: Any) -> None:
    make_member()
    time_machine.move_to(clock.now(), tick=False)
    visitor.log_in()
    for _ in range(3):
        time_machine.shift(timedelta(hours=11))
        assert visitor.is_in()
    time_machine.shift(timedelta(hours=13))
    assert not visitor.is_in()


def test_a_session_ends_in_time_though_the_clock_was_ahead_while_it_was_used(visitor: Any, time_machine: Any) -> None:
    make_member()
    right = clock.now()
    time_machine.move_to(right + timedelta(days=13), tick=False)
    visitor.log_in()
    time_machine.move_to(right, tick=False)
    assert visitor.is_in()
    assert UserSession.objects.get().last_seen_at == right
    time_machine.shift(timedelta(hours=13))
    assert not visitor.is_in()


# Passwords that others know


def test_a_password_that_has_become_known_is_disabled_when_it_is_used(visitor: Any) -> None:
    user = make_member(password="password123")
    page = visitor.log_in(password="password123").content.decode()
    assert "known to others" in page
    user.refresh_from_db()
    assert user.disabled_for == "password compromised"
    assert letters() == [("password-compromised-hibp", user.email)]
    assert list(Event.objects.values_list("tag", flat=True)) == ["password:disabled"]
    assert not visitor.is_in()


# New devices


def sign_in_with(visitor: Any, user: User, factor: str) -> Any:
    """What the page of the second factor does when the factor was right."""
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.test import RequestFactory

    from packhouse.accounts import devices

    session = visitor.session
    if session.session_key is None:
        session.save()
        visitor.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    request: Any = RequestFactory().post("/account/two-factor/")
    request.session, request.COOKIES = session, {name: c.value for name, c in visitor.cookies.items()}
    request._messages = FallbackStorage(request)
    request.user = user
    login = Login(user=user, state={"factor": factor, "stages": {"mfa_authenticate": {"handled": True}}})
    response = perform_password_login(request, {}, login)
    request.session.save()
    visitor.cookies.update(response.cookies)
    visitor.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    assert devices.COOKIE in response.cookies
    return response


@pytest.mark.parametrize("factor", ["totp", "recovery-code"])
def test_a_phishable_factor_in_a_new_browser_is_confirmed_by_a_letter_in_that_browser(
    visitor: Any, another: Any, factor: str
) -> None:
    user = make_member()
    assert sign_in_with(visitor, user, factor).url == "/account/confirm-login/"
    assert not visitor.is_in()
    assert visitor.get("/account/confirm-login/").status_code == 200
    link = link_in("unrecognized-login")
    assert another.get(link).status_code == another.post(link).status_code == 400
    assert visitor.get(link).status_code == 200
    assert not visitor.is_in()
    assert visitor.post(link).url == "/manage/projects/"
    assert visitor.is_in()
    assert Event.objects.get(tag="login:success").additional["two_factor_method"] == factor
    visitor.post("/account/logout/")
    assert visitor.post(link).status_code == 400
    assert sign_in_with(visitor, user, factor).url == "/manage/projects/"
    assert letters() == [("unrecognized-login", user.email)]


@pytest.mark.parametrize("factor", ["webauthn", "remembered-device", None])
def test_other_factors_need_no_letter(visitor: Any, factor: str) -> None:
    assert sign_in_with(visitor, make_member(), factor).url == "/manage/projects/"
    assert letters() == []


def test_a_newer_letter_voids_the_one_before(visitor: Any) -> None:
    user = make_member()
    sign_in_with(visitor, user, "totp")
    first = link_in("unrecognized-login")
    sign_in_with(visitor, user, "totp")
    assert visitor.post(first).status_code == 400
    assert visitor.post(link_in("unrecognized-login")).status_code == 302


def test_another_users_browser_is_a_new_one(visitor: Any) -> None:
    ada, eve = make_member("ada"), make_member("eve")
    actions.know_device(ada, "x" * 43, confirmed=True)
    visitor.cookies["device"] = "x" * 43
    assert sign_in_with(visitor, eve, "totp").url == "/account/confirm-login/"
    assert sign_in_with(visitor, ada, "totp").url == "/manage/projects/"


# Proving again who one is


def test_a_password_that_was_given_while_the_clock_was_ahead_is_asked_for_again(
    visitor: Any, time_machine: Any
) -> None:
    make_member()
    time_machine.move_to(clock.now() + timedelta(hours=1), tick=False)
    visitor.log_in()
    time_machine.shift(timedelta(hours=-1))
    assert visitor.get("/manage/account/").templates[0].name == "accounts/proof.html"


def test_sensitive_pages_ask_for_the_password_after_half_an_hour(visitor: Any, time_machine: Any) -> None:
    make_member()
    time_machine.move_to(clock.now(), tick=False)
    visitor.log_in()
    assert visitor.get("/manage/account/").templates[0].name == "accounts/profile.html"
    time_machine.shift(timedelta(minutes=31))
    page = visitor.get("/manage/account/?tab=1")
    assert page.templates[0].name == "accounts/proof.html"
    key = visitor.session.session_key
    answer = visitor.post("/manage/account/?tab=1", {"proof-password": PASSWORD, "proof-method": "GET"})
    assert (answer.status_code, answer.url) == (302, "/manage/account/?tab=1")
    assert visitor.session.session_key != key
    assert visitor.get("/manage/account/").templates[0].name == "accounts/profile.html"
    assert UserSession.objects.get().session_key == visitor.session.session_key


def test_a_submitted_form_survives_the_question(visitor: Any) -> None:
    user = make_member()
    visitor.log_in()
    visitor.forget_proof()
    page = visitor.post("/manage/account/", {"name": "Ada <Lovelace>", "public_email": user.email})
    assert page.context["carried"] == [("name", "Ada <Lovelace>"), ("public_email", user.email)]
    assert User.objects.get().name == ""
    carried = dict(page.context["carried"]) | {"proof-method": "POST"}
    assert "not your password" in visitor.post("/manage/account/", carried | {"proof-password": "x"}).content.decode()
    assert User.objects.get().name == ""
    visitor.post("/manage/account/", carried | {"proof-password": PASSWORD})
    assert User.objects.get().name == "Ada <Lovelace>"


def test_nobody_proves_with_the_password_of_another(visitor: Any) -> None:
    make_member("ada")
    make_member("eve", password=OTHER_PASSWORD)
    visitor.log_in("ada")
    visitor.forget_proof()
    sent = {"proof-password": OTHER_PASSWORD, "proof-method": "GET", "username": "eve", "proof-username": "eve"}
    assert "not your password" in visitor.post("/manage/account/", sent).content.decode()
    assert visitor.get("/manage/account/").templates[0].name == "accounts/proof.html"
    assert Event.objects.latest("pk").tag == "reauthenticate:failure"


def test_a_proof_from_the_future_counts_for_nothing(visitor: Any) -> None:
    make_member()
    visitor.log_in()
    session = visitor.session
    session["proved_at"] = clock.now().timestamp() + 3600
    session.save()
    assert visitor.get("/manage/account/").templates[0].name == "accounts/proof.html"


# The same work for everybody, so that the time tells nothing


@pytest.mark.parametrize("state", STATES)
def test_a_wrong_password_costs_the_same_whatever_the_account(
    visitor: Any, another: Any, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_member("ada", **STATES[state])
    hashed: list[str] = []
    hash_one = passwords.Argon2id.encode
    check_one = passwords.Argon2id.verify

    def encode(self: Any, password: str, salt: str) -> str:
        hashed.append("argon2")
        return str(hash_one(self, password, salt))

    def verify(self: Any, password: str, encoded: str) -> bool:
        hashed.append("argon2")
        return bool(check_one(self, password, encoded))

    monkeypatch.setattr(passwords.Argon2id, "encode", encode)
    monkeypatch.setattr(passwords.Argon2id, "verify", verify)
    for browser in (visitor, another):
        browser.get("/account/login/")
    with CaptureQueriesContext(connection) as known:
        visitor.log_in("ada", "not the password")
    cost, hashed[:] = list(hashed), []
    with CaptureQueriesContext(connection) as unknown:
        another.log_in("eve", "not the password")
    assert hashed == cost == ["argon2"]
    assert [query["sql"].split()[0] for query in known] == [query["sql"].split()[0] for query in unknown]
