"""``/api/v1/account`` and ``/api/v1/projects``: what tokens for reading, yanking and managing open."""

import json
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from tests.factories.accounts import make_token, make_user, signed_in
from tests.factories.projects import make_project, publish

from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.mail.models import Letter
from packhouse.projects.models import JournalEntry, Project, Release, Role

pytestmark = pytest.mark.django_db
PROJECTS = "/api/v1/projects"
YANK = f"{PROJECTS}/demo/releases/1.0/yank"


@pytest.fixture
def user() -> User:
    return make_user("ada", name="Ada")


@pytest.fixture
def project(user: User) -> Project:
    project = make_project("Demo", owner=user)
    for version in ("1.0", "1.1"):
        publish(project, version, by=user)
    return project


def call(method: str, path: str, token: str, body: Any = None) -> HttpResponse:
    content = json.dumps(body) if body is not None else ""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().generic(method, path, content, content_type="application/json", headers=headers)  # type: ignore[return-value]


def token_of(user: User, *grants: str, **options: Any) -> str:
    return make_token(user, grants=grants, **options)[1]


def test_a_token_for_reading_reads_the_account_and_its_projects(user: User, project: Project) -> None:
    token = token_of(user, "read")
    account = call("GET", "/api/v1/account", token).json()
    assert (account["username"], account["name"], account["two_factor"]) == ("ada", "Ada", True)
    assert account["emails"] == [{"email": "ada@users.example", "primary": True, "verified": True}]

    Role.objects.create(user=user, project=make_project("helped"), name=Role.Name.MAINTAINER)
    make_project("of-others", owner=make_user())
    listed = call("GET", PROJECTS, token).json()
    assert [(row["name"], row["role"], row["status"]) for row in listed] == [
        ("Demo", "Owner", "active"),
        ("helped", "Maintainer", "active"),
    ]
    assert call("GET", f"{PROJECTS}?offset=1&limit=1", token).json() == listed[1:]
    assert call("GET", f"{PROJECTS}/demo", token).json() == listed[0]

    Release.objects.filter(version="1.1").update(quarantined=True)
    releases = call("GET", f"{PROJECTS}/demo/releases", token).json()
    assert [(row["version"], row["files"], row["quarantined"]) for row in releases] == [
        ("1.1", 1, True),
        ("1.0", 1, False),
    ]
    (file,) = call("GET", f"{PROJECTS}/demo/releases/1/files", token).json()
    assert (file["filename"], file["size"]) == ("demo-1.0-py3-none-any.whl", 10)
    assert file["url"].endswith(f"/{file['filename']}")


def test_a_token_for_yanking_yanks_and_takes_it_back_with_everything_that_follows(user: User, project: Project) -> None:
    token = token_of(user, "yank")
    yanked = call("PUT", YANK, token, {"reason": " broken "})
    assert (yanked.status_code, yanked.json()["yanked"], yanked.json()["yanked_reason"]) == (200, True, "broken")
    assert (back := call("DELETE", YANK, token)).status_code == 200
    assert not back.json()["yanked"]
    assert [*JournalEntry.objects.order_by("pk").values_list("action", flat=True)][-2:] == [
        "yank release",
        "unyank release",
    ]
    events = Event.objects.filter(tag__in=["release:yank", "release:unyank"])
    assert {(event.actor, event.token is not None) for event in events} == {("ada", True)}
    assert Letter.objects.filter(to="ada@users.example", name__contains="yanked").count() == 2


def test_installers_see_a_yank_at_once(user: User, project: Project) -> None:
    from tests.index.world import page

    def yanked() -> list[object]:
        return [file["yanked"] for file in json.loads(page("simple/demo"))["files"]]

    assert yanked() == [False, False]
    call("PUT", YANK, token_of(user, "yank"), {"reason": "broken"})
    assert yanked() == ["broken", False]
    call("DELETE", YANK, token_of(user, "yank"))
    assert yanked() == [False, False]


def test_a_token_for_managing_archives_a_project_and_takes_it_up_again(user: User, project: Project) -> None:
    token = token_of(user, "manage")
    assert call("PUT", f"{PROJECTS}/demo/archive", token).json()["status"] == "archived"
    assert call("DELETE", f"{PROJECTS}/demo/archive", token).json()["status"] == "active"
    assert Event.objects.filter(tag__in=["archive:enter", "archive:exit"]).count() == 2


REQUESTS = {
    "account": ("GET", "/api/v1/account", "read"),
    "projects": ("GET", PROJECTS, "read"),
    "project": ("GET", f"{PROJECTS}/demo", "read"),
    "releases": ("GET", f"{PROJECTS}/demo/releases", "read"),
    "files": ("GET", f"{PROJECTS}/demo/releases/1.0/files", "read"),
    "yank": ("PUT", YANK, "yank"),
    "unyank": ("DELETE", YANK, "yank"),
    "archive": ("PUT", f"{PROJECTS}/demo/archive", "manage"),
    "unarchive": ("DELETE", f"{PROJECTS}/demo/archive", "manage"),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_each_door_opens_to_its_own_kind_of_token_alone(name: str, user: User, project: Project) -> None:
    method, path, grant = REQUESTS[name]
    body = {} if method == "PUT" else None
    answers = {
        kind: call(method, path, token_of(user, kind), body).status_code
        for kind in ("upload", "yank", "manage", "read")
    }
    assert answers == {kind: 200 if kind == grant else 403 for kind in answers}
    assert call(method, path, "", body).status_code == 401


@pytest.mark.parametrize("name", REQUESTS)
def test_a_token_for_another_project_and_a_role_that_is_lost_open_nothing(
    name: str, user: User, project: Project
) -> None:
    method, path, grant = REQUESTS[name]
    body = {} if method == "PUT" else None
    elsewhere = token_of(user, grant, projects=[make_project("elsewhere", owner=user)])
    if name != "projects":
        assert call(method, path, elsewhere, body).status_code == 403
    else:
        assert [row["name"] for row in call(method, path, elsewhere).json()] == ["elsewhere"]
    token = token_of(user, grant)
    Role.objects.filter(user=user, project=project).delete()
    lost = call(method, path, token, body)
    if name not in {"account", "projects"}:
        assert lost.status_code == 403
    Role.objects.create(user=user, project=project, name=Role.Name.MAINTAINER)
    helping = call(method, path, token, body).status_code
    assert helping == (200 if grant == "read" else 403)


@pytest.mark.parametrize("name", ["yank", "archive"])
def test_what_changes_a_project_asks_for_what_the_browser_asks_for(name: str, user: User, project: Project) -> None:
    method, path, grant = REQUESTS[name]
    single = make_user("single", two_factor=False)
    unverified = make_user("unverified", verified=False)
    for other in (single, unverified):
        Role.objects.create(user=other, project=project, name=Role.Name.OWNER)
        assert call(method, path, token_of(other, grant), {}).status_code == 403
    for proved, status in ((False, 403), (True, 200)):
        client = signed_in(user, proved=proved)
        assert client.put(path, {}, content_type="application/json").status_code == status


def test_the_account_is_read_without_a_factor_unless_everybody_must_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(make_user(two_factor=False), "read")
    assert call("GET", "/api/v1/account", token).status_code == 200
    monkeypatch.setattr(settings, "PACKHOUSE", replace(settings.PACKHOUSE, require_two_factor="everybody"))
    assert call("GET", "/api/v1/account", token).status_code == 403


@pytest.mark.parametrize("name", ["yank", "unyank", "archive", "unarchive"])
def test_a_quarantined_project_stays_as_it_is(name: str, user: User, project: Project) -> None:
    Project.objects.filter(pk=project.pk).update(status=Project.Status.QUARANTINED)
    method, path, grant = REQUESTS[name]
    assert call(method, path, token_of(user, grant), {} if method == "PUT" else None).status_code == 403
    project.refresh_from_db()
    assert project.status == Project.Status.QUARANTINED


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", f"{PROJECTS}/nothing/releases/1.0/yank", {}, 404),
        ("PUT", f"{PROJECTS}/demo/releases/9/yank", {}, 404),
        ("PUT", f"{PROJECTS}/demo/releases/not-a-version/yank", {}, 404),
        ("PUT", YANK, {"reason": "x" * 1001}, 422),
        ("PUT", YANK, {"reason": 5}, 422),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(
    method: str, path: str, body: Any, status: int, user: User, project: Project
) -> None:
    assert call(method, path, token_of(user, "yank"), body).status_code == status
