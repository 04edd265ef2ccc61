"""Making an account and verifying its address."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from tests.accounts.visitor import PASSWORD, letters, link_in, make_member

from packhouse.accounts import actions
from packhouse.accounts.models import Device, ReservedName, TermsEngagement, User
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.flags.actions import set_flag

pytestmark = pytest.mark.django_db


def tags() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("tag", flat=True))


def test_registering_makes_an_account_posts_the_link_and_signs_in(visitor: Any) -> None:
    response = visitor.register(email="Ada@Users.example")
    assert (response.status_code, response.url) == (302, "/manage/unverified-account/")
    user = User.objects.get()
    assert (user.username, user.name, user.email, user.is_superuser) == ("ada", "Ada", "ada@users.example", False)
    assert list(EmailAddress.objects.values_list("email", "primary", "verified")) == [(user.email, True, False)]
    assert tags() == ["account:create", "login:success"]
    assert Event.objects.latest("pk").additional["two_factor_method"] == "registration"
    assert letters() == [("verify-email", user.email)]
    assert Device.objects.get().confirmed_at
    assert visitor.is_in()


def test_the_link_shows_a_button_which_verifies_the_address_once(visitor: Any) -> None:
    visitor.register()
    link = link_in("verify-email")
    assert visitor.get(link).status_code == 200
    assert not EmailAddress.objects.get().verified
    response = visitor.post(link)
    assert (response.status_code, response.url) == (302, "/manage/account/two-factor/")
    assert EmailAddress.objects.get().verified
    assert tags()[-1] == "email:verified"
    assert visitor.post(link).status_code == 400


def test_the_link_leads_through_the_sign_in(visitor: Any, another: Any) -> None:
    visitor.register()
    response = another.get(link_in("verify-email"))
    assert response.status_code == 303
    assert response.url.startswith("/account/login/?next=%2Faccount%2Fverify-email%2F%3Ftoken%3D")


def test_the_link_of_another_user_verifies_nothing(visitor: Any, another: Any) -> None:
    visitor.register()
    another.register(username="eve", email="eve@users.example")
    assert another.post(link_in("verify-email", "ada@users.example")).status_code == 400
    assert not EmailAddress.objects.filter(verified=True).exists()


def test_the_link_of_an_address_that_was_removed_is_void_for_whoever_adds_it_next(visitor: Any) -> None:
    ada, eve = make_member("ada"), make_member("eve")
    address = actions.add_address(ada, "shared@users.example", by=ada)
    link = link_in("verify-email", "shared@users.example")
    actions.remove_address(ada, address, by=ada)
    actions.add_address(eve, "shared@users.example", by=eve)
    visitor.force_login(eve)
    assert visitor.post(link).status_code == 400
    visitor.force_login(ada)
    assert visitor.post(link).status_code == 400
    assert not EmailAddress.objects.get(email="shared@users.example").verified


def test_an_old_link_is_void(visitor: Any, time_machine: Any) -> None:
    visitor.register()
    link = link_in("verify-email")
    user = User.objects.get()
    time_machine.move_to(clock.now() + timedelta(hours=6, seconds=1))
    visitor.force_login(user)
    assert visitor.post(link).status_code == 400


def test_somebody_elses_address_is_answered_like_a_free_one(visitor: Any, another: Any) -> None:
    owner = make_member("grace")
    free, taken = visitor.register(), another.register(username="eve", email=owner.email)
    assert (free.status_code, free.url) == (taken.status_code, taken.url)
    assert letters() == [("address-in-use", owner.email), ("verify-email", "ada@users.example")]
    one = visitor.get("/manage/unverified-account/").content.decode()
    other = another.get("/manage/unverified-account/").content.decode()
    for own in ("ada@users.example", "grace@users.example", ">ada<", ">eve<"):
        one, other = one.replace(own, ""), other.replace(own, "")
    assert len(one) == len(other)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "-ada"),
        ("username", "taken"),
        ("username", "TAKEN"),
        ("username", "gone"),
        ("username", "GOne"),
        ("username", "g0ne"),
        ("username", "a" * 51),
        ("email", "no address"),
        ("email", ""),
        ("name", "see https://spam.example"),
        ("name", "two\nlines"),
        ("password", "short"),
        ("password", "password123456"),
        ("password", "ada@users.example"),
        ("password", "x" * 4097),
    ],
)
def test_a_registration_is_refused_beside_its_field_and_changes_nothing(visitor: Any, field: str, value: str) -> None:
    make_member("taken")
    actions.reserve_name("gone", reason="a test", by=None)
    before = Event.objects.count()
    response = visitor.register(**{field: value})
    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]
    assert (User.objects.count(), Event.objects.count(), letters()) == (1, before, [])
    assert PASSWORD not in response.content.decode()


def test_columns_that_the_form_does_not_have_are_not_set(visitor: Any) -> None:
    wanted = {field.name: "1" for field in User._meta.fields if field.name not in {"username", "name", "email"}}
    visitor.register(**wanted | {"password": PASSWORD})
    user = User.objects.get()
    assert [getattr(user, f"is_{flag}") for flag in ("superuser", "moderator", "support", "observer", "frozen")] == [
        False
    ] * 5
    assert user.session_epoch == 0


def test_what_programs_fill_in_makes_no_account(visitor: Any) -> None:
    assert visitor.register(confirm_form="yes").url == "/"
    assert not User.objects.exists()


def test_addresses_from_one_place_are_limited_until_one_is_verified(visitor: Any, another: Any) -> None:
    for number in range(2):
        assert type(visitor)().register(username=f"user{number}", email=f"u{number}@users.example").status_code == 302
    assert another.register().status_code == 429
    ada = User.objects.get(username="user1")
    visitor.force_login(ada)
    visitor.post(link_in("verify-email", ada.email))
    assert another.register().status_code == 302


def test_a_refused_registration_uses_up_no_limit(visitor: Any) -> None:
    for _ in range(3):
        assert visitor.register(password="short").status_code == 200
    assert visitor.register().status_code == 302


def test_registration_can_be_closed_by_setting_and_by_flag(visitor: Any, configure: Any) -> None:
    set_flag(name="disallow-new-user-registration", enabled=True)
    assert visitor.register().status_code == 403
    set_flag(name="disallow-new-user-registration", enabled=False)
    configure(registration="closed")
    assert visitor.get("/account/register/").status_code == 403
    assert visitor.register().status_code == 403
    assert not User.objects.exists()


def test_by_invitation_only_the_invited_register_and_once(visitor: Any, another: Any, configure: Any) -> None:
    configure(registration="invitation")
    assert visitor.register().status_code == 403
    actions.invite_person("Ada@users.example", by=None)
    query = "?" + link_in("invitation").partition("?")[2]
    assert b'value="ada@users.example"' in visitor.get("/account/register/" + query).content
    assert visitor.register(query=query).status_code == 302
    assert EmailAddress.objects.get().verified
    assert letters("verify-email") == []
    assert another.register(query=query, username="eve", email="eve@users.example").status_code == 403


def test_an_invitation_to_one_address_does_not_verify_another(visitor: Any, configure: Any) -> None:
    configure(registration="invitation")
    actions.invite_person("ada@users.example", by=None)
    visitor.register(query="?" + link_in("invitation").partition("?")[2], email="other@users.example")
    assert not EmailAddress.objects.get().verified
    assert letters("verify-email") == [("verify-email", "other@users.example")]


def test_the_terms_are_agreed_to(visitor: Any, configure: Any) -> None:
    configure(terms_url="https://terms.example/", terms_revision="2026")
    assert list(visitor.register().context["form"].errors) == ["terms"]
    visitor.register(terms="on")
    assert list(TermsEngagement.objects.values_list("revision", "kind")) == [("2026", "agreed")]


def test_a_mistyped_address_is_corrected(visitor: Any) -> None:
    visitor.register(email="typo@users.example")
    old_link = link_in("verify-email")
    response = visitor.post("/manage/unverified-account/", {"email": "ada@users.example"})
    assert response.status_code == 302
    assert list(EmailAddress.objects.values_list("email", "primary")) == [("ada@users.example", True)]
    assert User.objects.get().email == "ada@users.example"
    assert visitor.post(old_link).status_code == 400
    assert visitor.post(link_in("verify-email", "ada@users.example")).status_code == 302


def test_the_link_can_be_sent_again_but_not_for_ever(visitor: Any) -> None:
    visitor.register()
    resend = f"/manage/account/emails/{EmailAddress.objects.get().pk}/resend/"
    assert [visitor.post(resend).status_code for _ in range(4)] == [302, 302, 302, 429]
    assert len(letters("verify-email")) == 4


def test_a_reserved_name_looks_taken(visitor: Any) -> None:
    ReservedName.objects.create(name="root", skeleton="r00t")
    assert "already taken" in str(visitor.register(username="ROOT").context["form"].errors)
    assert settings.PACKHOUSE.registration == "open"


def test_new_terms_are_told_once_to_those_who_have_not_agreed(visitor: Any, configure: Any) -> None:
    configure(terms_url="https://terms.example/", terms_revision="2026")
    visitor.register(terms="on")
    old, _unverified = make_member("old"), make_member("unverified", verified=False)
    assert actions.announce_terms(most=10) == 1
    assert actions.announce_terms(most=10) == 0
    assert letters("terms-changed") == [("terms-changed", old.email)]
    configure(terms_url="")
    assert actions.announce_terms(most=10) == 0


def test_new_terms_are_shown_at_each_sign_in_until_they_are_looked_at(visitor: Any, configure: Any) -> None:
    configure(terms_url="https://terms.example/", terms_revision="2026")
    make_member("ada")
    visitor.log_in()
    place = "/account/view-terms-of-service/"
    assert place in visitor.get("/manage/account/sessions/").content.decode()
    assert visitor.get(place).url == "https://terms.example/"
    assert list(TermsEngagement.objects.values_list("revision", "kind")) == [("2026", "viewed")]
    visitor.post("/account/logout/")
    visitor.log_in()
    assert place not in visitor.get("/manage/account/sessions/").content.decode()
    configure(terms_url="")
    assert visitor.get(place).status_code == 404


def test_letters_come_in_the_language_of_the_registration(visitor: Any) -> None:
    visitor.cookies["locale"] = "de"
    visitor.register()
    assert User.objects.get().language == "de"
