"""Publishers of projects that do not exist yet: what their first use starts, and how they end otherwise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.factories.accounts import make_token, make_user, signed_in
from tests.factories.projects import make_project
from tests.factories.publishers import make_publisher
from tests.publishers.asking import minted, refused
from tests.publishers.issuer import Issuer
from tests.publishers.test_trust import GITHUB, GITLAB, GOOGLE, letters, page_errors
from tests.uploads.publishing import upload

from packhouse.accounts.models import User
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.flags.actions import set_flag
from packhouse.mail.models import Letter
from packhouse.projects.actions import create_project
from packhouse.projects.models import JournalEntry, ProhibitedName, Project
from packhouse.publishers import limits, tasks
from packhouse.publishers.models import MintedToken, PendingPublisher, Publisher, UsedIdentity
from packhouse.throttle import queries as throttle

pytestmark = pytest.mark.django_db

PAGE = "/manage/account/publishing/"
PIPELINE = GITLAB | {"workflow_filepath": "ci/release.yml", "project_name": "Fresh-Name"}


@pytest.fixture
def ada() -> User:
    return make_user("ada")


@pytest.fixture
def waiting(issuer: Issuer, ada: User) -> PendingPublisher:
    assert added(ada, PIPELINE, issuer_url=issuer.url).status_code == 302
    return PendingPublisher.objects.get()


def added(user: User, form: dict[str, str], **change: str) -> Any:
    return signed_in(user).post(f"{PAGE}?provider={form['provider']}", form | change)


def test_the_first_use_starts_the_project(issuer: Issuer, ada: User, waiting: PendingPublisher) -> None:
    event = Event.objects.get(tag="oidc:pending-publisher-added")
    assert (event.subject_id, event.additional["project"]) == (str(ada.uid), "Fresh-Name")
    text = minted(issuer.token())
    project = Project.objects.get()
    assert (project.name, project.normalized_name) == ("Fresh-Name", "fresh-name")
    assert [(role.user, role.name) for role in project.roles.all()] == [(ada, "Owner")]
    publisher = Publisher.objects.get()
    assert (list(publisher.projects.all()), publisher.pinned, publisher.issuer) == ([project], "2002", issuer.url)
    assert not PendingPublisher.objects.exists()
    actions = list(JournalEntry.objects.order_by("pk").values_list("action", "submitted_by__username"))
    assert actions == [("create", "ada"), ("add Owner ada", "ada")]
    event = Event.objects.get(tag="oidc:publisher-added")
    assert event.additional["reified_from_pending_publisher"] is True
    assert letters("pending-trusted-publisher-reified") == {ada.email}
    assert not letters("pending-trusted-publisher-invalidated")
    assert upload(token=text, name="Fresh-Name").status_code == 200
    minted(issuer.token())


def test_a_publisher_that_is_trusted_elsewhere_gets_one_more_project(issuer: Issuer, waiting: PendingPublisher) -> None:
    other = make_project("other")
    publisher = make_publisher(other, kind="gitlab", issuer=issuer.url)
    text = minted(issuer.token())
    assert set(publisher.projects.values_list("name", flat=True)) == {"other", "Fresh-Name"}
    assert upload(token=text, name="other").status_code == 200


def test_it_starts_no_project_of_another_name(issuer: Issuer, waiting: PendingPublisher) -> None:
    answer = upload(token=minted(issuer.token()), name="something-else")
    assert (answer.status_code, b"pending publisher" in answer.content) == (400, True)


def test_a_used_identity_token_starts_nothing(issuer: Issuer, waiting: PendingPublisher) -> None:
    UsedIdentity.objects.all().delete()
    make_publisher(make_project("other"), kind="gitlab", issuer=issuer.url, workflow="other.yml")
    identity = issuer.token(jti="twice")
    other = issuer.token(jti="twice", ci_config_ref_uri=f"{issuer.url[7:]}/acme/tools/demo//other.yml@refs/tags/v1")
    minted(other)
    assert refused(identity)[0] == "invalid-reuse-token"
    assert PendingPublisher.objects.count() == 1


def test_whoever_starts_the_project_otherwise_ends_it(issuer: Issuer, ada: User, waiting: PendingPublisher) -> None:
    bob = make_user("bob")
    assert upload(token=make_token(bob)[1], name="FRESH_NAME").status_code == 200
    assert not PendingPublisher.objects.exists()
    assert letters("pending-trusted-publisher-invalidated") == {ada.email}
    event = Event.objects.get(tag="oidc:pending-publisher-removed")
    assert (event.subject_id, event.actor) == (str(ada.uid), "")
    assert refused(issuer.token())[0] == "invalid-publisher"


@pytest.mark.parametrize("name", ["fresh_name", "fre5h-name", "FreshName", "fresh.name"])
def test_a_name_that_looks_like_it_does_too(issuer: Issuer, waiting: PendingPublisher, name: str) -> None:
    create_project(name=name, by=None)
    assert PendingPublisher.objects.exists() == (name == "fre5h-name")


def test_one_that_comes_too_late_is_told_so_and_goes(issuer: Issuer, ada: User, waiting: PendingPublisher) -> None:
    make_project("fresh-name")  # by an import, say: nobody was told
    code, why = refused(issuer.token())
    assert (code, "already exists" in why) == ("invalid-pending-publisher", True)
    assert not PendingPublisher.objects.exists()
    assert letters("pending-trusted-publisher-invalidated") == {ada.email}
    assert (Project.objects.count(), Publisher.objects.count(), UsedIdentity.objects.count()) == (1, 0, 0)


def test_a_prohibited_name_is_refused_and_can_be_allowed_again(issuer: Issuer, waiting: PendingPublisher) -> None:
    prohibited = ProhibitedName.objects.create(normalized_name="fresh-name")
    code, why = refused(issuer.token())
    assert (code, "isn't allowed" in why) == ("invalid-payload", True)
    prohibited.delete()
    minted(issuer.token())


@pytest.mark.parametrize("change", [{"is_frozen": True}, {"is_active": False}, {"disabled_for": "abuse"}], ids=str)
def test_nobody_who_may_not_act_starts_projects(
    issuer: Issuer, ada: User, waiting: PendingPublisher, change: dict[str, Any]
) -> None:
    User.objects.filter(pk=ada.pk).update(**change)
    assert refused(issuer.token())[0] == "invalid-payload"
    assert not Project.objects.exists()


def test_a_pending_publisher_that_starts_nothing_stands_in_nobodys_way(
    issuer: Issuer, ada: User, waiting: PendingPublisher
) -> None:
    """Else whoever likes could keep the jobs of others from publishing."""
    publisher = make_publisher(make_project("other"), kind="gitlab", issuer=issuer.url)
    User.objects.filter(pk=ada.pk).update(is_frozen=True)
    minted(issuer.token())
    assert MintedToken.objects.get().publisher == publisher
    assert not Project.objects.filter(name="Fresh-Name").exists()


def test_nobody_without_a_second_factor_starts_projects(issuer: Issuer, ada: User, waiting: PendingPublisher) -> None:
    ada.authenticator_set.all().delete()
    assert refused(issuer.token())[0] == "invalid-payload"


def test_the_index_may_want_no_new_projects(
    issuer: Issuer, ada: User, waiting: PendingPublisher, settings: Any
) -> None:
    set_flag(name="disallow-new-project-registration", enabled=True)
    assert refused(issuer.token())[0] == "invalid-payload"
    assert "temporarily disabled" in signed_in(ada).get(PAGE).content.decode()
    set_flag(name="disallow-new-project-registration", enabled=False)
    settings.PACKHOUSE = replace(settings.PACKHOUSE, upload_creates_projects=False)
    assert refused(issuer.token())[0] == "invalid-payload"
    added(ada, GOOGLE, project_name="x")
    assert PendingPublisher.objects.count() == 1


# Adding.


@pytest.mark.parametrize(
    "name", ["", "taken", "TAKEN", "tak-en ", "prohibited", "os", "-x", "a" * 201, "look.a.like", "new\n"]
)
def test_a_name_that_cannot_be_had_is_refused(ada: User, name: str) -> None:
    make_project("taken", owner=make_user())
    make_project("look-a-like")
    ProhibitedName.objects.create(normalized_name="prohibited")
    assert "project_name" in page_errors(added(ada, GOOGLE, project_name=name))
    assert not PendingPublisher.objects.exists()


def test_owners_of_an_existing_project_are_led_to_it(ada: User) -> None:
    make_project("mine", owner=ada)
    answer = added(ada, GOOGLE, project_name="Mine")
    assert "/manage/project/mine/settings/publishing/" in answer.content.decode()


def test_nobody_has_more_than_three_at_a_time(ada: User) -> None:
    for number in range(3):
        assert added(ada, GITHUB, project_name=f"new-{number}", repository=f"demo-{number}").status_code == 302
    assert "more than 3" in page_errors(added(ada, GITHUB, project_name="new-3"))
    assert added(make_user("bob"), GITHUB, project_name="new-3").status_code == 302


def test_a_publisher_is_pending_for_one_project(ada: User) -> None:
    added(ada, GITHUB, project_name="one")
    answer = added(make_user("bob"), GITHUB, project_name="other", owner="ACME")
    assert "of yours or of somebody else" in page_errors(answer)


def test_a_pending_publisher_is_removed_by_its_user_alone(ada: User, waiting: PendingPublisher) -> None:
    path = f"{PAGE}{waiting.pk}/remove/"
    stranger = signed_in(make_user("bob"))
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, {"confirmation": "Fresh-Name"}).status_code == 404
    client = signed_in(ada)
    assert "Fresh-Name" in client.get(PAGE).content.decode()
    assert client.post(path, {"confirmation": "Fresh-Name"}).status_code == 302
    assert not PendingPublisher.objects.exists()
    assert Event.objects.filter(tag="oidc:pending-publisher-removed").count() == 1


# Ends.


def test_it_ends_after_thirty_days_and_its_user_is_reminded_before(
    ada: User, waiting: PendingPublisher, time_machine: Any
) -> None:
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    PendingPublisher.objects.update(created=start)
    time_machine.move_to(start + timedelta(days=25, hours=-1), tick=False)
    tasks.remind_of_pending.func()
    assert not letters("pending-trusted-publisher-expiration-reminder")
    time_machine.move_to(start + timedelta(days=25), tick=False)
    for _ in range(2):
        tasks.remind_of_pending.func()
    assert Letter.objects.filter(name="pending-trusted-publisher-expiration-reminder").count() == 1
    time_machine.move_to(start + timedelta(days=30, hours=-1), tick=False)
    tasks.expire_pending.func()
    assert PendingPublisher.objects.exists()
    time_machine.move_to(start + timedelta(days=30), tick=False)
    for _ in range(2):
        tasks.expire_pending.func()
    assert not PendingPublisher.objects.exists()
    assert letters("pending-trusted-publisher-expired") == {ada.email}
    event = Event.objects.get(tag="oidc:pending-publisher-removed")
    assert event.additional["submitted_by"] == "system:ttl-expired"


def test_what_has_ended_is_forgotten(issuer: Issuer, time_machine: Any) -> None:
    make_publisher(make_project("demo"), kind="gitlab", issuer=issuer.url)
    minted(issuer.token())
    time_machine.move_to(clock.now() + timedelta(minutes=16), tick=False)
    tasks.forget_expired.func()
    assert (MintedToken.objects.count(), UsedIdentity.objects.count()) == (1, 0)
    time_machine.move_to(clock.now() + timedelta(days=1), tick=False)
    tasks.forget_expired.func()
    assert not MintedToken.objects.exists()


def test_the_limit_of_who_has_proved_right_is_given_back(issuer: Issuer, ada: User, waiting: PendingPublisher) -> None:
    [(of_user, key), _] = limits.registration(ada)
    assert throttle.test(of_user, *key).remaining == 99
    minted(issuer.token())
    assert throttle.test(of_user, *key).remaining == 100
