"""The console's page of invitations, and what becomes of the links that it sends."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from tests.accounts.visitor import PASSWORD, Visitor, letters, link_in
from tests.factories.accounts import make_user, signed_in

from packhouse.accounts import actions
from packhouse.accounts.models import Invitation, User
from packhouse.audit.models import Event
from packhouse.base import clock

pytestmark = pytest.mark.django_db
PAGE = "/console/invitations/"
GUEST = "guest@users.example"


@pytest.fixture
def chief() -> Client:
    return signed_in(make_user("chief", is_superuser=True))


@pytest.fixture(autouse=True)
def by_invitation(configure: Any) -> None:
    configure(registration="invitation")


def invite(chief: Client, email: str = GUEST) -> str:
    """Invites, and returns where the link leads."""
    response = chief.post(PAGE, {"email": email})
    assert (response.status_code, response.url) == (302, PAGE), response.content.decode()
    return link_in("invitation", email.lower())


def register(link: str, **fields: str) -> Any:
    form = {"username": "guest", "name": "", "email": GUEST, "password": PASSWORD}
    return Visitor().post(link, form | fields)


def tags() -> list[str]:
    return list(Event.objects.filter(tag__startswith="invitation:").order_by("pk").values_list("tag", flat=True))


def test_an_invited_person_registers_with_an_address_that_counts_as_verified(chief: Client) -> None:
    link = invite(chief, "Guest@Users.example")
    assert "chief invites you" in Visitor().get(link).content.decode()
    response = register(link)
    assert (response.status_code, response.url) == (302, "/manage/projects/")
    assert EmailAddress.objects.get(email=GUEST).verified
    page = chief.get(PAGE).content.decode()
    assert all(text in page for text in (GUEST, "Used", "/user/guest/", "chief"))
    assert letters("verify-email") == []
    event = Event.objects.get(tag="invitation:create")
    assert (event.actor, event.additional) == ("chief", {"email": GUEST})


def test_another_address_has_to_be_verified(chief: Client) -> None:
    response = register(invite(chief), email="other@users.example")
    assert response.url == "/manage/unverified-account/"
    assert not EmailAddress.objects.get(email="other@users.example").verified


def test_an_invitation_is_used_once_and_says_so_afterwards(chief: Client) -> None:
    link = invite(chief)
    register(link)
    again = Visitor().get(link)
    assert (again.status_code, "does not work" in again.content.decode()) == (403, True)
    assert register(link, username="second").status_code == 403
    assert User.objects.count() == 2


def test_a_letter_sent_again_has_a_new_link_and_voids_the_former(chief: Client, time_machine: Any) -> None:
    former = invite(chief)
    time_machine.move_to(clock.now() + timedelta(days=8))
    assert Visitor().get(former).status_code == 403
    chief = signed_in(User.objects.get(username="chief"))
    number = Invitation.objects.get().pk
    assert chief.post(f"{PAGE}{number}/resend/").url == PAGE
    link = link_in("invitation")
    assert link != former
    assert register(former).status_code == 403
    assert register(link).status_code == 302
    assert tags() == ["invitation:create", "invitation:resend"]


def test_a_withdrawn_invitation_lets_nobody_in(chief: Client) -> None:
    link = invite(chief)
    chief.post(f"{PAGE}{Invitation.objects.get().pk}/withdraw/")
    assert register(link).status_code == 403
    assert not Invitation.objects.exists()
    assert tags() == ["invitation:create", "invitation:withdraw"]


def test_what_was_used_can_be_neither_withdrawn_nor_sent_again(chief: Client) -> None:
    register(invite(chief))
    number = Invitation.objects.get().pk
    for what in ("withdraw", "resend"):
        page = chief.post(f"{PAGE}{number}/{what}/", follow=True).content.decode()
        assert "used or withdrawn already" in page
    assert tags() == ["invitation:create"]


@pytest.mark.parametrize("email", [GUEST, "chief@users.example", "nonsense", ""])
def test_nobody_is_invited_twice_and_nobody_who_has_an_account(email: str, chief: Client) -> None:
    invite(chief)
    assert chief.post(PAGE, {"email": email}).status_code == 200
    assert Invitation.objects.count() == 1


def test_where_everybody_may_register_a_void_link_leads_on(chief: Client, configure: Any) -> None:
    link = invite(chief)
    Invitation.objects.update(expires=clock.now())
    configure(registration="open")
    page = Visitor().get(link)
    assert (page.status_code, "Register without it" in page.content.decode()) == (410, True)
    assert register(link).status_code == 200
    assert User.objects.count() == 1


def test_registration_that_is_closed_takes_nobody_in(chief: Client, configure: Any) -> None:
    link = invite(chief)
    configure(registration="closed")
    assert Visitor().get(link).status_code == register(link).status_code == 403
    assert "Registration is closed" in chief.get(PAGE).content.decode()


def test_other_staff_see_the_invitations_and_superusers_alone_change_them(chief: Client) -> None:
    invite(chief)
    number = Invitation.objects.get().pk
    support = signed_in(make_user(is_support=True))
    page = support.get(PAGE)
    assert (page.status_code, "Withdraw" in page.content.decode()) == (200, False)
    for path in (PAGE, f"{PAGE}{number}/resend/", f"{PAGE}{number}/withdraw/"):
        assert support.post(path, {"email": "more@users.example"}).status_code == 403
    assert actions.find_invitation(link_in("invitation").partition("token=")[2])
