"""The whole matrix of who may do what to a project."""

from dataclasses import replace

import pytest
from tests.factories.accounts import make_user
from tests.factories.projects import make_project

from packhouse.accounts.rules import must_have_two_factor, must_have_verified_email
from packhouse.base.identity import ANONYMOUS, Identity
from packhouse.projects.queries import role_of
from packhouse.projects.rules import may_create_project, may_manage, may_upload

ALICE = Identity(kind="user", user_id=1, username="alice", credential="token", two_factor=True, verified_email=True)
PUBLISHER = Identity(kind="publisher", credential="publisher-token")


@pytest.mark.parametrize(
    ("identity", "role", "status", "code"),
    [
        (ALICE, "Owner", "active", ""),
        (ALICE, "Maintainer", "active", ""),
        (ALICE, None, "active", "not-a-collaborator"),
        (ALICE, "Friend", "active", "not-a-collaborator"),
        (ALICE, "Owner", "archived", "project-archived"),
        (ALICE, "Maintainer", "archived", "project-archived"),
        (ALICE, None, "archived", "not-a-collaborator"),
        (ALICE, "Owner", "quarantined", ""),
        (ALICE, "Maintainer", "quarantined", ""),
        (ANONYMOUS, "Owner", "active", "not-a-collaborator"),
        (PUBLISHER, "Owner", "active", "not-a-collaborator"),
    ],
)
def test_who_may_upload(identity: Identity, role: str | None, status: str, code: str) -> None:
    assert may_upload(identity, role=role, project="Sample", status=status).code == code


@pytest.mark.parametrize(
    ("identity", "role", "allowed"),
    [
        (ALICE, "Owner", True),
        (ALICE, "Maintainer", False),
        (ALICE, None, False),
        (ANONYMOUS, "Owner", False),
        (PUBLISHER, "Owner", False),
    ],
)
def test_only_owners_manage(identity: Identity, role: str | None, allowed: bool) -> None:
    assert bool(may_manage(identity, role=role, project="Sample")) is allowed


@pytest.mark.parametrize(
    ("identity", "setting", "code"),
    [
        (ALICE, "publishers", ""),
        (replace(ALICE, verified_email=False), "nobody", "email-not-verified"),
        (replace(ALICE, verified_email=False, two_factor=False), "publishers", "email-not-verified"),
        (replace(ALICE, two_factor=False), "publishers", "two-factor-missing"),
        (replace(ALICE, two_factor=False), "everybody", "two-factor-missing"),
        (replace(ALICE, two_factor=False), "nobody", ""),
        (PUBLISHER, "publishers", "publisher-creates-project"),
        (ANONYMOUS, "nobody", "publisher-creates-project"),
    ],
)
def test_who_may_create_a_project(identity: Identity, setting: str, code: str) -> None:
    assert may_create_project(identity, two_factor_setting=setting).code == code


def test_publishers_need_neither_address_nor_second_factor() -> None:
    assert must_have_verified_email(PUBLISHER)
    assert must_have_two_factor(PUBLISHER, "everybody")


@pytest.mark.django_db
def test_a_role_is_of_one_user_on_one_project() -> None:
    owner = make_user()
    project = make_project("mine", owner=owner)
    assert role_of(owner.pk, project) == "Owner"
    assert (
        role_of(owner.pk, make_project("other")) is role_of(make_user().pk, project) is role_of(None, project) is None
    )
