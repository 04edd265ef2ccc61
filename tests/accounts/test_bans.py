"""Addresses from which nobody can act."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import Login
from django.core.exceptions import PermissionDenied, ValidationError
from tests.accounts.visitor import PASSWORD, link_in, make_member
from tests.factories.accounts import make_token, make_user, signed_in
from tests.factories.factors import code_of, make_app

from packhouse.accounts import actions, bans
from packhouse.accounts.models import BannedNetwork, User
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.identity import NO_REQUEST, current_request

pytestmark = pytest.mark.django_db
PAGE = "/console/addresses/"
HERE = "127.0.0.1"


def ban(*addresses: str, until: Any = None) -> None:
    actions.ban(addresses, comment="", until=until, by=None)


def lift() -> None:
    for row in BannedNetwork.objects.all():
        actions.lift_ban(row.pk, by=None)


def test_a_session_does_not_count_at_a_banned_address_and_outlives_the_ban(visitor: Any) -> None:
    make_member()
    visitor.log_in()
    assert visitor.is_in()
    ban(HERE)
    assert visitor.get("/manage/account/sessions/").url.startswith("/account/login/")
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    assert visitor.get("/manage/account/sessions/", **elsewhere).status_code == 200
    lift()
    assert visitor.is_in()


def test_the_right_password_is_wrong_there_and_counts_as_a_failure(visitor: Any) -> None:
    make_member()
    ban(HERE)
    right, wrong = visitor.log_in(), visitor.log_in(password="another one")
    assert right.context["form"].errors == wrong.context["form"].errors != {}
    assert [*Event.objects.filter(subject_kind="user").values_list("tag", flat=True)] == ["login:failure"] * 2
    statuses = [visitor.log_in().status_code for _ in range(9)]
    assert statuses == [200] * 8 + [429]
    lift()
    assert visitor.log_in().status_code == 429


def test_a_sign_in_that_had_begun_does_not_end_there(visitor: Any) -> None:
    user = make_member()
    secret = make_app(user, by=user)
    assert visitor.log_in().url.startswith("/account/two-factor/")
    assert visitor.post("/account/two-factor/", {"code": code_of(secret)}).url == "/account/confirm-login/"
    ban(HERE)
    assert visitor.post(link_in("unrecognized-login")).status_code == 403
    lift()
    assert not visitor.is_in()


def test_every_way_in_ends_where_the_address_is_asked(rf: Any) -> None:
    from packhouse.accounts.adapter import AccountAdapter

    ban(HERE)
    request = rf.post("/account/login/passkey/")
    request.arriving = Login(user=make_member())
    token = current_request.set(replace(NO_REQUEST, address=HERE))
    try:
        with pytest.raises(PermissionDenied):
            AccountAdapter(request).login(request, request.arriving.user)
    finally:
        current_request.reset(token)


def test_tokens_are_refused_there_as_if_they_did_not_exist(client: Any) -> None:
    _, text = make_token(make_user(), grants=["manage"])
    with_token = {"HTTP_AUTHORIZATION": f"Bearer {text}"}
    assert client.get("/api/v1/tokens", **with_token).status_code == 200
    ban("127.0.0.0/8")
    assert client.get("/api/v1/tokens", **with_token).status_code == 401
    assert client.get("/api/v1/tokens", REMOTE_ADDR="10.0.0.9", **with_token).status_code == 200


def test_nobody_registers_there_even_if_invited(visitor: Any) -> None:
    link = actions.invite_person("ada@users.example", by=make_user("chief"))
    ban(HERE)
    for query in ("", "?" + link.partition("?")[2]):
        page = visitor.register(query=query)
        assert (page.status_code, "from the address that you come from" in page.content.decode()) == (403, True)
    assert not User.objects.filter(username="ada").exists()


@pytest.mark.parametrize(
    ("banned", "inside", "outside"),
    [
        ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("192.0.2.9/24", "192.0.2.255", "192.0.3.0"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ("::1", "::1", "::2"),
        ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
        ("0.0.0.0/0", "255.255.255.255", "::1"),
    ],
)
def test_addresses_and_networks_of_both_kinds(banned: str, inside: str, outside: str) -> None:
    ban(banned)
    assert (bans.is_banned(inside), bans.is_banned(outside)) == (True, False)
    assert not bans.is_banned("")


def test_a_ban_ends_by_itself_and_can_be_made_anew(time_machine: Any) -> None:
    time_machine.move_to(clock.now(), tick=False)
    ban("192.0.2.7", until=clock.now() + timedelta(days=1))
    assert bans.is_banned("192.0.2.7")
    time_machine.shift(timedelta(days=1))
    assert not bans.is_banned("192.0.2.7")
    assert BannedNetwork.objects.get().is_over
    ban("192.0.2.7")
    assert bans.is_banned("192.0.2.7")
    assert BannedNetwork.objects.count() == 1


@pytest.mark.parametrize("changed", ["banned", "lifted", "replaced"])
def test_what_another_machine_changes_is_seen_when_the_memory_is_old(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another machine writes the same database, and neither empties our memory nor moves our mark."""
    ban("192.0.2.1", "192.0.2.2")
    monkeypatch.setattr(bans, "KEPT_FOR", 3600.0)
    assert [bans.is_banned(f"192.0.2.{n}") for n in (1, 2, 3)] == [True, True, False]
    if changed != "banned":
        BannedNetwork.objects.filter(network="192.0.2.1/32").delete()
    if changed != "lifted":
        BannedNetwork.objects.create(network="192.0.2.3/32")
    assert [bans.is_banned(f"192.0.2.{n}") for n in (1, 2, 3)] == [True, True, False]
    monkeypatch.setattr(bans, "KEPT_FOR", 0.0)
    assert [bans.is_banned(f"192.0.2.{n}") for n in (1, 2, 3)] == [changed == "banned", True, changed != "lifted"]


def test_a_list_is_pasted_into_the_console_and_one_is_allowed_again() -> None:
    chief = signed_in(make_user("chief", is_superuser=True))
    pasted = "192.0.2.7, 198.51.100.0/24\n2001:db8::1\n192.0.2.7"
    assert chief.post(PAGE, {"addresses": pasted, "comment": "spam", "days": "30"}).url == PAGE
    assert sorted(map(str, BannedNetwork.objects.all())) == ["192.0.2.7", "198.51.100.0/24", "2001:db8::1"]
    ends = {row.until - row.at for row in BannedNetwork.objects.all() if row.until}
    assert all(abs(end - timedelta(days=30)) < timedelta(minutes=5) for end in ends)
    assert len(ends) >= 1
    page = chief.get(PAGE).content.decode()
    assert all(text in page for text in ("192.0.2.7", "198.51.100.0/24", "2001:db8::1", "spam"))
    number = BannedNetwork.objects.get(network="192.0.2.7/32").pk
    assert "192.0.2.7 is no longer banned" in chief.post(f"{PAGE}{number}/allow/", follow=True).content.decode()
    assert BannedNetwork.objects.count() == 2
    tags = Event.objects.filter(tag__startswith="address:").order_by("pk").values_list("tag", "actor")
    assert [*tags] == [("address:ban", "chief"), ("address:allow", "chief")]


def test_an_address_is_found_by_the_network_that_covers_it_and_tells_who_was_there(visitor: Any) -> None:
    make_member("mallory")
    type(visitor)(REMOTE_ADDR="203.0.113.7").log_in("mallory", PASSWORD)
    ban("203.0.113.0/24", "198.51.100.0/24")
    chief = signed_in(make_user("chief", is_superuser=True))
    found = chief.get(PAGE, {"find": "203.0.113.7"}).content.decode()
    assert ("203.0.113.0/24" in found, "198.51.100.0/24" in found, "mallory" in found) == (True, False, True)
    part = chief.get(PAGE, {"find": "198.51"}).content.decode()
    assert ("203.0.113.0/24" in part, "198.51.100.0/24" in part, "mallory" in part) == (False, True, False)


@pytest.mark.parametrize("text", ["here", "192.0.2.256", "192.0.2.0/33", "2001:db8::/129", "192.0.2"])
def test_what_is_no_address_is_refused_and_nothing_banned(text: str) -> None:
    page = signed_in(make_user(is_superuser=True)).post(PAGE, {"addresses": f"192.0.2.1 {text}"})
    assert (page.status_code, BannedNetwork.objects.exists()) == (200, False)
    assert f"“{text}” is neither an address nor a network" in page.content.decode()


@pytest.mark.parametrize("text", [HERE, "127.0.0.0/8", "0.0.0.0/0"])
def test_nobody_shuts_themselves_out(text: str) -> None:
    page = signed_in(make_user(is_superuser=True)).post(PAGE, {"addresses": f"192.0.2.1 {text}"})
    assert (page.status_code, BannedNetwork.objects.exists()) == (200, False)
    assert "it would shut you out" in page.content.decode()


def test_other_staff_only_look() -> None:
    ban("192.0.2.1")
    support = signed_in(make_user(is_support=True))
    page = support.get(PAGE)
    assert (page.status_code, "Allow again" in page.content.decode()) == (200, False)
    assert support.post(PAGE, {"addresses": "192.0.2.2"}).status_code == 403
    assert support.post(f"{PAGE}{BannedNetwork.objects.get().pk}/allow/").status_code == 403
    assert BannedNetwork.objects.count() == 1


def test_the_action_names_what_it_refuses() -> None:
    with pytest.raises(ValidationError, match="neither an address nor a network"):
        ban("x" * 300)
