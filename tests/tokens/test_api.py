"""``/api/v1/tokens``: what automation can do, and what it cannot."""

import json
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from tests.factories.accounts import make_token, make_user, signed_in
from tests.factories.projects import make_project

from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.tokens.models import Token
from packhouse.tokens.queries import identify, scope_of

pytestmark = pytest.mark.django_db
PATH = "/api/v1/tokens"


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def manager(user: User) -> str:
    return make_token(user, "manager", grants=["manage"])[1]


def call(method: str, path: str = PATH, *, token: str = "", body: Any = None) -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = json.dumps(body) if body is not None else ""
    return Client().generic(method, path, content, content_type="application/json", headers=headers)  # type: ignore[return-value]


def test_a_token_for_managing_makes_lists_and_deletes_tokens(user: User, manager: str) -> None:
    make_project("Demo.Project", owner=user)
    made = call(
        "POST", token=manager, body={"description": "job", "projects": ["demo_project"], "permissions": ["manage"]}
    )
    assert made.status_code == 201
    answer = made.json()
    assert identify(f"Bearer {answer['token']}").username == user.username
    assert {key: answer[key] for key in ("description", "projects", "permissions", "patterns", "addresses")} == {
        "description": "job",
        "projects": ["demo-project"],
        "permissions": ["manage"],
        "patterns": [],
        "addresses": [],
    }
    assert answer["expires"] > answer["created"]
    assert Event.objects.filter(tag="api_token:added", actor=user.username, token__isnull=False).exists()

    listed = call("GET", token=manager).json()
    assert [item["description"] for item in listed] == ["job", "manager"]
    assert "token" not in listed[0]

    assert call("DELETE", f"{PATH}/{answer['id']}", token=manager).status_code == 204
    assert not Token.objects.filter(pk=answer["id"]).exists()


def test_what_a_token_makes_has_no_right_that_it_lacks(manager: str) -> None:
    made = call("POST", token=manager, body={"description": "job", "permissions": ["upload", "manage"]})
    assert scope_of(Token.objects.get(pk=made.json()["id"])).grants == ("manage",)


@pytest.mark.parametrize(
    "body",
    [
        {"patterns": ["*"]},
        {"addresses": ["here"]},
        {"permissions": []},
        {"permissions": ["all"]},
        {"projects": ["nobodys"]},
        {"description": ""},
        {"description": "manager"},
        {"expires": "2001-01-01T00:00:00Z"},
        {"expires": "2099-01-01T00:00:00"},
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_the_field_named(manager: str, body: dict[str, Any]) -> None:
    answer = call("POST", token=manager, body={"description": "job"} | body)
    assert answer.status_code == 422
    assert next(iter(body)) in str(answer.json()["detail"])


def test_others_are_refused(user: User) -> None:
    answers = {
        "nobody": call("GET"),
        "a token for uploading": call("GET", token=make_token(user)[1]),
        "a token for a project": call("GET", token=make_token(user, projects=[make_project()], grants=["manage"])[1]),
        "no second factor": call("GET", token=make_token(make_user(two_factor=False), grants=["manage"])[1]),
        "no verified address": call("GET", token=make_token(make_user(verified=False), grants=["manage"])[1]),
        "nonsense": call("GET", token="packhouse-AgEI"),
    }
    assert {who: answer.status_code for who, answer in answers.items()} == {
        "nobody": 401,
        "a token for uploading": 403,
        "a token for a project": 403,
        "no second factor": 403,
        "no verified address": 403,
        "nonsense": 401,
    }


def test_nobody_sees_or_deletes_the_token_of_another(manager: str) -> None:
    token, _text = make_token(make_user(), "secret job")
    assert "secret job" not in call("GET", token=manager).content.decode()
    assert call("DELETE", f"{PATH}/{token.pk}", token=manager).status_code == 404
    assert Token.objects.filter(pk=token.pk).exists()


def test_a_session_works_with_its_csrf_token_alone(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    body = {"description": "job"}
    assert client.get(PATH).status_code == 200
    assert client.post(PATH, body, content_type="application/json").status_code == 403
    assert not Token.objects.exists()


def test_a_session_that_has_not_proved_lately_who_it_is_makes_and_deletes_no_token(user: User) -> None:
    token, _text = make_token(user, "job")
    for proved, answers in ((False, [200, 403, 403]), (True, [200, 201, 204])):
        client = signed_in(user, proved=proved)
        got = [
            client.get(PATH),
            client.post(PATH, {"description": "another job"}, content_type="application/json"),
            client.delete(f"{PATH}/{token.pk}"),
        ]
        assert [answer.status_code for answer in got] == answers


def test_the_api_describes_itself() -> None:
    document = call("GET", "/api/v1/openapi.json").json()
    assert {PATH, f"{PATH}/{{token_id}}"} <= set(document["paths"])
    assert document["components"]["schemas"]["NewToken"]["required"] == ["description"]
