"""Publishers are added to projects and removed from them: rows, trail and letters."""

from dataclasses import replace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from tests.factories.accounts import make_user, signed_in
from tests.factories.projects import make_project
from tests.factories.publishers import make_publisher
from tests.publishers.asking import minted, refused
from tests.publishers.issuer import Issuer
from tests.uploads.publishing import upload

from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.flags.actions import set_flag
from packhouse.mail.models import Letter
from packhouse.projects.actions import delete_project, remove_role
from packhouse.projects.models import Project, Role
from packhouse.publishers import actions
from packhouse.publishers.models import Link, Publisher
from packhouse.publishers.wanted import Wanted

pytestmark = pytest.mark.django_db

GITHUB = {
    "provider": "github",
    "owner": "Acme",
    "owner_id": "1001",
    "repository": "Demo",
    "workflow_filename": "release.yml",
    "environment": "",
}
GITLAB = {
    "provider": "gitlab",
    "namespace": "acme/tools",
    "project": "demo",
    "project_id": "",
    "workflow_filepath": ".gitlab-ci.yml",
    "environment": "",
}
GOOGLE = {"provider": "google", "email": "job@acme.iam.gserviceaccount.com", "sub": ""}
ACTIVESTATE = {
    "provider": "activestate",
    "organization": "acme",
    "project": "demo",
    "actor": "ada",
    "actor_id": "3003",
}
GOOD = {form["provider"]: form for form in (GITHUB, GITLAB, GOOGLE, ACTIVESTATE)}


@pytest.fixture
def owner() -> User:
    return make_user("owner")


@pytest.fixture
def demo(owner: User) -> Project:
    project = make_project("Demo", owner=owner)
    Role.objects.create(user=make_user("maintainer"), project=project, name=Role.Name.MAINTAINER)
    return project


PAGE = "/manage/project/demo/settings/publishing/"


def letters(name: str) -> set[str]:
    return set(Letter.objects.filter(name=name).values_list("to", flat=True))


def added(client: Client, form: dict[str, str], **change: str) -> Any:
    return client.post(f"{PAGE}?provider={form['provider']}", form | change)


def page_errors(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.context["form"].errors)


@pytest.mark.parametrize("kind", GOOD)
def test_an_owner_adds_a_publisher_of_any_kind(owner: User, demo: Project, kind: str) -> None:
    client = signed_in(owner)
    assert added(client, GOOD[kind]).status_code == 302
    publisher = Publisher.objects.get()
    assert (publisher.kind, list(publisher.projects.all())) == (kind, [demo])
    assert Link.objects.get().added_by == owner
    event = Event.objects.get(tag="oidc:publisher-added")
    assert (event.subject_id, event.actor) == (str(demo.uid), "owner")
    assert event.additional["id"] == str(publisher.pk)
    assert event.additional["submitted_by"] == "owner"
    assert letters("trusted-publisher-added") == {"owner@users.example", "maintainer@users.example"}
    assert event.additional["specifier"] in client.get(PAGE).content.decode()
    assert "trusts this publisher already" in page_errors(added(client, GOOD[kind]))
    assert Publisher.objects.count() == 1


def test_what_is_added_can_publish(github: Issuer, owner: User, demo: Project) -> None:
    assert added(signed_in(owner), GITHUB, issuer_url=github.url).status_code == 302
    assert upload(token=minted(github.token("github"))).status_code == 200


def test_the_environment_of_github_is_written_small(owner: User, demo: Project) -> None:
    added(signed_in(owner), GITHUB, environment="Production")
    assert Publisher.objects.get().fields["environment"] == "production"


def test_two_projects_share_a_publisher_which_goes_with_the_last(owner: User, demo: Project) -> None:
    other = make_project("other", owner=owner)
    client = signed_in(owner)
    added(client, GITHUB)
    client.post("/manage/project/other/settings/publishing/?provider=github", GITHUB | {"owner": "acme"})
    publisher = Publisher.objects.get()
    assert set(publisher.projects.all()) == {demo, other}
    answer = client.post(f"{PAGE}{publisher.pk}/remove/", {"confirmation": "Demo"})
    assert answer.status_code == 302
    assert list(publisher.projects.all()) == [other]
    assert Event.objects.filter(tag="oidc:publisher-removed", subject_id=str(demo.uid)).count() == 1
    assert letters("trusted-publisher-removed") == {"owner@users.example", "maintainer@users.example"}
    delete_project(by=owner, project=other)
    assert not Publisher.objects.exists()


def test_a_server_of_ones_own_is_another_publisher(github: Issuer, owner: User, demo: Project) -> None:
    client = signed_in(owner)
    added(client, GITHUB)
    added(client, GITHUB, issuer_url=github.url)
    assert set(Publisher.objects.values_list("issuer", flat=True)) == {
        "https://token.actions.githubusercontent.com",
        github.url,
    }
    assert "issuer_url" in page_errors(added(client, GITHUB, issuer_url="https://elsewhere.example"))


@pytest.mark.parametrize(
    ("form", "field", "value"),
    [
        *((GITHUB, "owner", value) for value in ("", "-acme", "acme/demo", "acme ", "a" * 101, "äcme")),
        *((GITHUB, "owner_id", value) for value in ("", "0", "x", "1 ", "-1")),
        *((GITHUB, "repository", value) for value in ("", "acme/demo", "demo?", "demo ")),
        *((GITHUB, "workflow_filename", value) for value in ("", "release", "a/b.yml", "x.yml ", "x@y.yml", ".yml/")),
        *((GITHUB, "environment", value) for value in (" x", "x ", 'a"b', "a,b", "a\tb", "x" * 256, "\x00")),
        *((GITLAB, "namespace", value) for value in ("", "/acme", "acme/", "acme//tools", "a--b", "acme.git", "ac me")),
        *((GITLAB, "project", value) for value in ("", "a/b", "demo.git", "demo.atom", "demo-")),
        *((GITLAB, "workflow_filepath", value) for value in ("", "/x.yml", "x", "a//b.yml", "x.yml/", "a b.yml")),
        *((GITLAB, "environment", value) for value in ("a,b", "ä")),
        *((GOOGLE, "email", value) for value in ("", "acme", "a@b")),
        *((GOOGLE, "sub", value) for value in ("x", "1.5")),
        *((ACTIVESTATE, "organization", value) for value in ("", "ab", "-abc", "a--b", "a" * 41)),
        *((ACTIVESTATE, "actor_id", value) for value in ("", "x!")),
    ],
)
def test_a_field_that_cannot_be_is_said_to_be_so(
    owner: User, demo: Project, form: dict[str, str], field: str, value: str
) -> None:
    assert field in page_errors(added(signed_in(owner), form, **{field: value}))
    assert not Publisher.objects.exists()


def test_a_link_fills_in_the_form_and_the_page_warns(owner: User, demo: Project) -> None:
    answer = signed_in(owner).get(f"{PAGE}?provider=gitlab&namespace=mallory&project=demo")
    shown = answer.content.decode()
    assert 'value="mallory"' in shown
    assert "A link has filled in this form" in shown
    assert "A link has filled in this form" not in signed_in(owner).get(f"{PAGE}?provider=gitlab").content.decode()


def test_maintainers_and_strangers_see_nothing_of_it(demo: Project) -> None:
    publisher = make_publisher(demo)
    maintainer = signed_in(User.objects.get(username="maintainer"))
    stranger = signed_in(make_user())
    for path in (PAGE, f"{PAGE}{publisher.pk}/remove/", f"{PAGE}{publisher.pk}/environment/"):
        assert (maintainer.get(path).status_code, stranger.get(path).status_code) == (403, 404)
        assert (maintainer.post(path, GITHUB).status_code, stranger.post(path, GITHUB).status_code) == (403, 404)
    assert Link.objects.count() == 1


def test_a_publisher_of_another_project_is_not_reached_through_ones_own(owner: User, demo: Project) -> None:
    foreign = make_publisher(make_project("foreign", owner=make_user()))
    client = signed_in(owner)
    for path in (f"{PAGE}{foreign.pk}/remove/", f"{PAGE}{foreign.pk}/environment/"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"confirmation": "Demo", "environment": "x"}).status_code == 404
    assert Link.objects.count() == 1


@pytest.mark.parametrize("flag", ["disallow-oidc", "disallow-github-oidc"])
def test_flags_stop_adding(owner: User, demo: Project, flag: str) -> None:
    set_flag(name=flag, enabled=True)
    assert "cannot be added at the moment" in page_errors(added(signed_in(owner), GITHUB))
    assert not Publisher.objects.exists()


def test_there_is_an_end_to_adding(owner: User, demo: Project, settings: Any) -> None:
    settings.PACKHOUSE = replace(settings.PACKHOUSE, publisher_limit="2 per day")
    client = signed_in(owner)
    answers = [added(client, GITHUB, repository=f"demo-{number}").status_code for number in range(3)]
    assert answers == [302, 302, 429]
    assert Publisher.objects.count() == 2


def test_who_has_added_what_stays_visible_when_they_leave(owner: User, demo: Project) -> None:
    second = make_user("second")
    Role.objects.create(user=second, project=demo, name=Role.Name.OWNER)
    added(signed_in(second), GITHUB)
    remove_role(by=owner, project=demo, user_id=second.pk)
    shown = signed_in(owner).get(PAGE).content.decode()
    assert "by second" in shown
    assert "no longer a collaborator" in shown


# Environments.


def test_an_environment_takes_the_place_of_any(owner: User, demo: Project) -> None:
    publisher = make_publisher(demo, pinned="1001")
    client = signed_in(owner)
    assert 'value="Staging"' in client.get(f"{PAGE}{publisher.pk}/environment/?environment=Staging").content.decode()
    assert client.post(f"{PAGE}{publisher.pk}/environment/", {"environment": "Production"}).status_code == 302
    constrained = Publisher.objects.get()
    assert (constrained.fields["environment"], constrained.pinned) == ("production", "1001")
    event = Event.objects.get(tag="oidc:publisher-added")
    assert event.additional["constrained_from_existing_publisher"] == str(publisher.pk)
    assert Event.objects.filter(tag="oidc:publisher-removed").count() == 1
    assert client.get(f"{PAGE}{constrained.pk}/environment/").status_code == 404


def test_the_other_projects_of_a_publisher_are_not_constrained_with_it(owner: User, demo: Project) -> None:
    other = make_project("other")
    publisher = make_publisher(demo, other)
    actions.constrain_environment(project=demo, publisher_id=publisher.pk, environment="production", by=owner)
    assert list(publisher.projects.all()) == [other]
    with pytest.raises(ValidationError):
        actions.constrain_environment(
            project=demo, publisher_id=demo.publishers.get().pk, environment="staging", by=owner
        )
    google = make_publisher(demo, kind="google")
    with pytest.raises(ValidationError):
        actions.constrain_environment(project=demo, publisher_id=google.pk, environment="x", by=owner)


def test_owners_learn_of_an_environment_that_nobody_asked_for_once(github: Issuer, demo: Project) -> None:
    publisher = make_publisher(demo, issuer=github.url)
    for _ in range(2):
        minted(github.token("github", environment="production & more"))
    assert letters("environment-ignored-in-trusted-publisher") == {"owner@users.example"}
    letter = Letter.objects.get(name="environment-ignored-in-trusted-publisher")
    assert f"{PAGE}{publisher.pk}/environment/?environment=production+%26+more" in letter.text


def test_nobody_is_told_of_it_where_several_projects_are_meant(github: Issuer, demo: Project) -> None:
    make_publisher(demo, make_project("other"), issuer=github.url)
    minted(github.token("github", environment="production"))
    assert not letters("environment-ignored-in-trusted-publisher")


def test_owners_learn_that_somebody_else_has_the_name(github: Issuer, demo: Project) -> None:
    make_publisher(demo, issuer=github.url)
    for _ in range(2):
        assert refused(github.token("github", repository_owner_id="666"))[0] == "invalid-publisher"
    assert letters("trusted-publisher-taken-over") == {"owner@users.example"}


# Without a page.


def test_a_publisher_that_is_added_without_a_number_may_be_the_same(owner: User, demo: Project) -> None:
    publisher = make_publisher(demo, kind="gitlab")
    wanted = Wanted.of(publisher)
    with pytest.raises(ValidationError):
        actions.add_publisher(project=demo, wanted=Wanted(wanted.issuer, wanted.fields), by=owner)
    with pytest.raises(Link.DoesNotExist):
        actions.remove_publisher(project=make_project("other"), publisher_id=publisher.pk, by=owner)
