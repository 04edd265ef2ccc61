"""Deleting an account, and taking that back."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import connection
from tests.accounts.visitor import PASSWORD, Visitor, letters, link_in, make_member
from tests.factories.accounts import make_token
from tests.factories.projects import make_project, publish
from tests.index.world import page

from packhouse.accounts import actions
from packhouse.accounts.models import Device, User
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.mail.models import Letter
from packhouse.projects.actions import LastOwner, remove_role
from packhouse.projects.models import JournalEntry, Role
from packhouse.tokens.models import Token
from packhouse.tokens.queries import CredentialsRefused, identify

pytestmark = pytest.mark.django_db
DELETE = "/manage/account/delete/"


def in_session(**fields: Any) -> tuple[User, Visitor]:
    user, visitor = make_member("ada", **fields), Visitor()
    visitor.log_in()
    return user, visitor


def test_a_deleted_account_is_out_at_once_and_everything_of_it_is_kept_for_a_while() -> None:
    user, visitor = in_session(two_factor=False)
    EmailAddress.objects.create(user=user, email="ada@elsewhere.example", verified=True)
    EmailAddress.objects.create(user=user, email="ada@unverified.example")
    assert visitor.post(DELETE, {"confirmation": "someone"}).status_code == 200
    assert visitor.post(DELETE, {"confirmation": "ada"}).url == "/"
    user.refresh_from_db()
    assert (user.is_active, user.email) == (False, "ada@users.example")
    assert not visitor.is_in()
    assert Visitor().log_in().status_code == 200
    assert not Visitor().log_in().cookies.get("session")
    assert letters("account-deleted") == [
        ("account-deleted", "ada@elsewhere.example"),
        ("account-deleted", "ada@users.example"),
    ]
    assert Event.objects.get(tag="account:delete").actor == "ada"


def test_the_link_in_the_letter_takes_the_deletion_back_once() -> None:
    user, visitor = in_session()
    project = make_project("left", owner=user)
    other = make_member("grace")
    Role.objects.create(user=other, project=project, name=Role.Name.OWNER)
    visitor.post(DELETE, {"confirmation": "ada"})
    link = link_in("account-deleted")
    assert visitor.get(link).status_code == 200
    assert not User.objects.get(pk=user.pk).is_active
    assert visitor.post(link).url == "/account/login/"
    assert visitor.post(link).status_code == 400
    assert visitor.log_in().status_code == 302
    assert Role.objects.filter(user=user, project=project).exists()
    assert letters("account-restored") == [("account-restored", user.email)]
    assert Event.objects.filter(tag="account:restore").count() == 1


def test_who_owns_a_project_alone_is_told_what_to_hand_over() -> None:
    user, visitor = in_session()
    make_project("alone", owner=user)
    shared = make_project("shared", owner=user)
    Role.objects.create(user=make_member("grace"), project=shared, name=Role.Name.OWNER)
    page = visitor.get(DELETE).content.decode()
    assert ">alone<" in page
    assert ">shared<" not in page
    assert visitor.post(DELETE, {"confirmation": "ada"}).status_code == 409
    assert User.objects.get(pk=user.pk).is_active


def test_after_its_time_an_account_is_erased_and_its_name_stays_reserved(time_machine: Any) -> None:
    user, visitor = in_session()
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    actions.delete_account(user, by=user)
    link = link_in("account-deleted")
    time_machine.move_to(clock.now() + timedelta(days=13))
    assert actions.erase_deleted_accounts() == 0
    time_machine.move_to(clock.now() + timedelta(days=1, minutes=1))
    assert actions.erase_deleted_accounts() == 1
    assert actions.erase_deleted_accounts() == 0
    assert visitor.post(link).status_code == 400
    user.refresh_from_db()
    assert (user.username, user.email, user.has_usable_password()) == ("ada", "", False)
    assert not EmailAddress.objects.filter(user=user).exists()
    assert not user.authenticator_set.exists()
    for name in ("ada", "ADA"):
        assert "username" in Visitor().register(username=name, email="x@users.example").context["form"].errors
    assert Event.objects.filter(tag="account:create", subject_name="ada").count() == 0


def test_documents_name_nobody_who_has_deleted_the_account_until_that_is_taken_back() -> None:
    user, visitor = in_session()
    project = make_project("left", owner=user)
    publish(project, by=user)
    Role.objects.create(user=make_member("grace"), project=project, name=Role.Name.OWNER)

    def owners() -> list[str]:
        ownership = json.loads(page("project/left"))["ownership"]["roles"]
        return sorted(role["user"] for role in ownership)

    visitor.post(DELETE, {"confirmation": "ada"})
    assert owners() == ["grace"]
    visitor.post(link_in("account-deleted"))
    assert owners() == ["ada", "grace"]


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_delete_their_accounts_at_once_one_stays() -> None:
    ada, grace = make_member("ada"), make_member("grace")
    project = make_project("left", owner=ada)
    Role.objects.create(user=grace, project=project, name=Role.Name.OWNER)
    visitors = {name: Visitor() for name in ("ada", "grace")}
    for name, visitor in visitors.items():
        visitor.log_in(name)
    start = Barrier(2)

    def leave(name: str) -> None:
        start.wait(60)
        try:
            visitors[name].post(DELETE, {"confirmation": name})
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(leave, visitors))
    assert User.objects.filter(is_active=True, pk__in=(ada.pk, grace.pk)).count() == 1


def test_whoever_is_gone_does_not_count_as_an_owner() -> None:
    user, visitor = in_session()
    grace = make_member("grace")
    project = make_project("left", owner=user)
    Role.objects.create(user=grace, project=project, name=Role.Name.OWNER)
    visitor.post(DELETE, {"confirmation": "ada"})
    with pytest.raises(LastOwner):
        remove_role(by=grace, project=project, user_id=grace.pk)


def test_with_the_account_everything_goes_that_was_its_own(time_machine: Any) -> None:
    user, visitor = in_session()
    project = make_project("left", owner=user)
    Role.objects.create(user=make_member("grace"), project=project, name=Role.Name.OWNER)
    token, text = make_token(user, "job")
    SocialAccount.objects.create(user=user, provider="github", uid="7", extra_data={"handle": "ada"})
    visitor.post(DELETE, {"confirmation": "ada"})
    assert isinstance(refused(text), CredentialsRefused)
    assert Token.objects.filter(pk=token.pk).exists()
    time_machine.move_to(clock.now() + timedelta(days=15))
    actions.erase_deleted_accounts()
    for model in (Token, SocialAccount, Role, EmailAddress, Authenticator, Device, UserSession):
        assert not model.objects.filter(user=user).exists(), model
    assert not Letter.objects.filter(user_id=user.pk).exists()
    assert JournalEntry.objects.latest("pk").action == "remove Owner ada"
    mine = Event.objects.filter(subject_kind="user", subject_id=str(user.uid)).values_list("tag", flat=True)
    assert {"account:delete", "account:erase", "role:remove", "api_token:removed"} <= set(mine)
    assert letters("collaborator-removed") == [("collaborator-removed", "grace@users.example")]


def refused(text: str) -> Exception | None:
    try:
        identify(f"Bearer {text}")
    except CredentialsRefused as error:
        return error
    return None


def test_deleting_asks_for_the_password_again() -> None:
    _user, visitor = in_session()
    visitor.forget_proof()
    page = visitor.post(DELETE, {"confirmation": "ada"})
    assert page.templates[0].name == "accounts/proof.html"
    assert User.objects.get().is_active
    sent = {"confirmation": "ada", "proof-method": "POST", "proof-password": PASSWORD}
    assert visitor.post(DELETE, sent).url == "/"
