"""Making and deleting tokens."""

import base64
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from tests.builders import make_wheel
from tests.factories.accounts import make_token, make_user
from tests.factories.projects import make_project
from tests.uploads.publishing import upload

from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.tokens.actions import create_token, delete_token
from packhouse.tokens.models import Token
from packhouse.tokens.queries import CredentialsRefused, identify

pytestmark = pytest.mark.django_db


def test_making_a_token_writes_the_row_and_the_trail_and_no_secret() -> None:
    user, project = make_user(), make_project("Sample.Project")
    token, text = create_token(user=user, description=" release robot ", projects=[project], by=user)

    assert list(Token.objects.filter(user=user).values_list("description", "by_operator", "with_two_factor")) == [
        ("release robot", False, True)
    ]
    assert token.caveats == [[1, ["sample-project"]], [2, [str(project.uid)]]]
    on_user, on_project = Event.objects.filter(tag="api_token:added").order_by("pk")
    assert (on_user.subject_kind, on_user.subject_id, on_user.actor) == ("user", str(user.uid), user.username)
    assert on_user.additional["caveats"] == token.caveats
    assert (on_project.subject_id, on_project.additional["user"]) == (str(project.uid), user.username)
    signature = base64.urlsafe_b64decode(text[-44:] + "=" * (-len(text[-44:]) % 4))
    assert bytes(Token.objects.get().salt) not in signature


def test_a_description_is_unique_for_its_user_alone() -> None:
    user = make_user()
    make_token(user, "robot")
    make_token(make_user(), "robot")
    with pytest.raises(ValidationError):
        make_token(user, "robot")


@pytest.mark.parametrize("description", [" ", "x" * 101])
def test_a_description_is_needed_and_short(description: str) -> None:
    with pytest.raises(ValidationError):
        make_token(description=description)


def test_a_token_cannot_be_made_expired() -> None:
    with pytest.raises(ValidationError):
        make_token(expires=clock.now() - timedelta(seconds=1))


def test_a_deleted_token_is_dead_and_the_trail_tells() -> None:
    user = make_user()
    token, text = make_token(user)
    delete_token(owner=user, token_id=token.pk, by=user)
    with pytest.raises(CredentialsRefused):
        identify(f"Bearer {text}")
    assert Event.objects.get(tag="api_token:removed").additional["macaroon_id"] == str(token.pk)


def test_nobody_deletes_the_token_of_another_user() -> None:
    token, text = make_token()
    for token_id in (token.pk, uuid4()):
        with pytest.raises(Token.DoesNotExist):
            delete_token(owner=make_user(), token_id=token_id)
    assert identify(f"Bearer {text}").kind == "user"


def test_a_role_that_is_lost_is_lost_to_tokens_with_the_next_upload() -> None:
    user = make_user()
    project = make_project("demo", owner=user)
    text = make_token(user, projects=[project])[1]
    assert upload(make_wheel("demo", "1.0"), token=text).status_code == 200
    project.roles.all().delete()
    assert upload(make_wheel("demo", "1.1"), token=text, change={"version": "1.1"}).status_code == 403
