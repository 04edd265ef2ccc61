"""Creating users."""

import pytest
from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from tests.factories.accounts import make_user

from packhouse.accounts.actions import create_user
from packhouse.accounts.models import User
from packhouse.accounts.queries import has_two_factor, has_verified_primary_email
from packhouse.audit.models import Event

pytestmark = pytest.mark.django_db

GOOD = {"username": "Alice", "email": "Alice@users.example", "password": "quite a long passphrase"}


def test_a_created_user_has_a_primary_address_an_argon2id_hash_and_a_trail() -> None:
    user = create_user(**GOOD, superuser=True, verified=True)
    assert User.objects.get() == user
    assert user.password.startswith("argon2$argon2id$")
    assert user.is_superuser
    address = EmailAddress.objects.get()
    assert (address.email, address.primary, address.verified) == ("alice@users.example", True, True)
    event = Event.objects.get()
    assert (event.tag, event.subject_name, event.actor) == ("account:create", "Alice", "")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "-alice"),
        ("username", "alice\n"),
        ("username", "a" * 51),
        ("username", "TAKEN"),
        ("email", ""),
        ("email", "no address"),
        ("email", "Taken@users.example"),
        ("password", ""),
        ("password", "short"),
        ("password", "password1"),
        ("password", "alice@users.example"),
        ("password", "x" * 4097),
    ],
)
def test_a_user_is_refused_for(field: str, value: str) -> None:
    make_user("taken")
    with pytest.raises(ValidationError) as refused:
        create_user(**GOOD | {field: value})
    assert list(refused.value.message_dict) == [field]
    assert User.objects.count() == 1


@pytest.mark.parametrize("state", [True, False])
def test_a_user_is_asked_for_a_verified_address_and_a_second_factor(state: bool) -> None:
    user = make_user(verified=state, two_factor=state)
    assert has_verified_primary_email(user) is state
    assert has_two_factor(user) is state
