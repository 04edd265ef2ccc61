"""Who may do what in an organization, as a table."""

import pytest

from packhouse.base.identity import ANONYMOUS, Identity
from packhouse.organizations.models import MemberRole
from packhouse.organizations.rules import PERMISSIONS, may, may_apply, may_start

ADA = Identity(kind="user", user_id=1, username="ada", credential="session")
TABLE = """
                 Owner  Manager  Billing-manager  Member
read             yes    yes      yes              yes
leave            yes    yes      no               yes
teams            yes    yes      no               no
add-projects     yes    yes      no               no
remove-projects  yes    no       no               no
manage           yes    no       no               no
billing          yes    no       yes              no
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]


def test_each_role_may_do_what_the_table_says() -> None:
    assert {row[0] for row in ROWS} == set(PERMISSIONS)
    assert {role.replace("-", " ") for role in HEAD} == set(MemberRole)
    for permission, *cells in ROWS:
        for role, cell in zip(HEAD, cells, strict=True):
            decision = may(permission, ADA, role=role.replace("-", " "), organization="acme")
            assert bool(decision) == (cell == "yes"), (permission, role)
            assert decision.code == ("" if cell == "yes" else "role-too-small")


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
def test_whoever_is_no_member_may_do_nothing(permission: str) -> None:
    assert may(permission, ADA, role=None, organization="acme").code == "not-a-member"
    assert may(permission, ANONYMOUS, role="Owner", organization="acme").code == "not-a-member"
    publisher = Identity(kind="publisher", credential="publisher-token")
    assert may(permission, publisher, role="Owner", organization="acme").code == "not-a-member"


@pytest.mark.parametrize(
    ("setting", "starts", "staff_starts", "applies"),
    [("users", True, True, False), ("request", False, True, True), ("off", False, False, False)],
)
def test_the_setting_says_who_starts_one_and_who_may_ask(
    setting: str, starts: bool, staff_starts: bool, applies: bool
) -> None:
    assert bool(may_start(setting, is_staff=False)) == starts
    assert bool(may_start(setting, is_staff=True)) == staff_starts
    assert bool(may_apply(setting)) == applies
