"""The security history says who did what: somebody, the operator, or the index by itself."""

from html import unescape

import pytest
from tests.factories.accounts import make_user, signed_in

from packhouse.accounts.actions.users import subject
from packhouse.audit import actions as audit


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tag", "additional", "said", "by_operator"),
    [
        ("account:disable", {}, "The account was disabled.", True),
        ("email:sent", {"to": "a@b.example", "subject": "Hello"}, "A letter was sent to a@b.example: Hello", False),
        ("account:create", {}, "The account was created.", True),
    ],
)
def test_what_the_index_does_by_itself_is_not_said_to_be_the_operator_s(
    tag: str, additional: dict[str, str], said: str, by_operator: bool
) -> None:
    user = make_user("ada")
    browser = signed_in(user)
    audit.record(tag, subject=subject(user), by=None, additional=additional)
    row = next(
        row for row in unescape(browser.get("/manage/account/history/").content.decode()).split("<tr>") if said in row
    )
    assert ("by the operator" in row) == by_operator
