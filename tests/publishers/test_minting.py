"""From an identity token to a token of the index, and to a file."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from tests.builders import make_wheel
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.factories.publishers import make_publisher
from tests.publishers.asking import ask, minted, refused
from tests.publishers.issuer import Issuer
from tests.uploads.publishing import upload

from packhouse.accounts.actions.bans import ban
from packhouse.audit.models import Event
from packhouse.base.identity import AttestationIdentity
from packhouse.flags.actions import set_flag
from packhouse.projects.actions import set_status
from packhouse.projects.models import File, JournalEntry, Project, Release
from packhouse.publishers.models import MintedToken, Publisher, UsedIdentity
from packhouse.publishers.queries import identify
from packhouse.tokens import caveats, macaroons
from packhouse.tokens.queries import CredentialsRefused
from packhouse.tokens.queries import identify as identify_user
from packhouse.tokens.rules import check

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo() -> Project:
    return make_project("demo", owner=make_user("owner"))


@pytest.fixture
def publisher(demo: Project, issuer: Issuer) -> Publisher:
    return make_publisher(demo, kind="gitlab", issuer=issuer.url)


def test_jobs_are_told_for_whom_their_identity_token_must_be(issuer: Issuer) -> None:
    answer = Client().get("/_/oidc/audience")
    assert (answer.status_code, answer.json()) == (200, {"audience": "index.example"})
    assert answer["Cache-Control"] == "no-store"
    set_flag(name="disallow-oidc", enabled=True)
    answer = Client().get("/_/oidc/audience")
    assert answer.status_code == 403
    assert answer.json() == {"message": "Trusted publishing functionality not enabled"}


@pytest.mark.parametrize("path", ["/_/oidc/mint-token", "/_/oidc/github/mint-token"])
def test_a_good_identity_token_is_worth_a_token_for_fifteen_minutes(
    issuer: Issuer, demo: Project, publisher: Publisher, time_machine: Any, path: str
) -> None:
    time_machine.move_to(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False)
    answer = ask(issuer.token(), path)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    told = answer.json()
    end = int(datetime(2026, 5, 1, 12, 15, tzinfo=UTC).timestamp())
    assert (told["success"], told["expires"]) == (True, end)
    presented = macaroons.parse(told["token"], "packhouse")
    assert [caveats.parse(text) for text in presented.caveats] == [
        caveats.OIDCPublisher(str(publisher.pk)),
        caveats.ProjectID((str(demo.uid),)),
        caveats.Expiration(end, end - 900),
    ]
    token = MintedToken.objects.get()
    assert (token.publisher, token.claims) == (publisher, {"ref_path": "refs/tags/v1", "sha": "0123abc"})
    [event] = Event.objects.filter(tag="account:short_lived_api_token:added")
    assert (event.subject_id, event.actor) == (str(demo.uid), "acme/tools/demo, ci/release.yml")
    assert event.additional["claims"] == token.claims
    assert told["token"] not in json.dumps(event.additional)


def test_a_file_is_published_with_it_by_nobody_but_the_publisher(
    issuer: Issuer, demo: Project, publisher: Publisher
) -> None:
    text = minted(issuer.token())
    answer = upload(token=text)
    assert answer.status_code == 200, answer.content
    file = File.objects.get()
    assert (file.uploader, file.release.uploader, file.project) == (None, None, demo)
    assert {entry.submitted_by for entry in JournalEntry.objects.filter(name="demo")} == {None}
    event = Event.objects.get(tag="file:add")
    assert (event.actor_id, event.actor, event.token) == (
        None,
        "acme/tools/demo, ci/release.yml",
        MintedToken.objects.get().pk,
    )
    assert upload(token=text, version="1.1").status_code == 200


def test_the_identity_of_an_upload_says_what_attestations_must_name(issuer: Issuer, publisher: Publisher) -> None:
    identity = identify(f"Bearer {minted(issuer.token())}")
    assert (identity.kind, identity.user_id, identity.name) == ("publisher", None, "acme/tools/demo, ci/release.yml")
    assert identity.publisher is not None
    assert identity.publisher.id == publisher.pk
    assert identity.publisher.claims == {"ref_path": "refs/tags/v1", "sha": "0123abc"}
    assert identity.publisher.attestation_identity == AttestationIdentity(
        kind="GitLab", issuer=issuer.url, repository="acme/tools/demo", workflow="ci/release.yml"
    )


def test_one_token_is_for_all_projects_that_trust_the_publisher(issuer: Issuer, publisher: Publisher) -> None:
    other = make_project("other")
    publisher.projects.add(other)
    text = minted(issuer.token())
    assert upload(token=text).status_code == 200
    assert upload(token=text, name="other").status_code == 200
    assert Event.objects.filter(tag="account:short_lived_api_token:added").count() == 2


def test_links_below_the_source_of_the_publisher_are_verified(issuer: Issuer, publisher: Publisher) -> None:
    source = f"{issuer.url}/acme/tools/demo"
    own = [source, f"{source}/-/issues", f"{source}.git"]
    foreign = [
        f"{source}nstration",
        f"{issuer.url}/acme/tools",
        f"{source}/../x",
        "https://elsewhere.example/acme/tools/demo",
    ]
    lines = "".join(f"Project-URL: Link {number}, {url}\n" for number, url in enumerate(own + foreign))
    wheel = make_wheel(metadata=f"Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: A demonstration\n{lines}")
    urls = [("project_urls", f"Link {number}, {url}") for number, url in enumerate(own + foreign)]
    answer = upload(wheel, token=minted(issuer.token()), more=urls)
    assert answer.status_code == 200, answer.content
    assert Release.objects.get().verified == sorted(own)


# Whom it is not worth anything to.


def test_it_works_for_no_other_project_and_starts_none(issuer: Issuer, publisher: Publisher) -> None:
    make_project("foreign")
    text = minted(issuer.token())
    answer = upload(token=text, name="foreign")
    assert (answer.status_code, b"not valid for project" in answer.content) == (403, True)
    answer = upload(token=text, name="brand-new")
    assert (answer.status_code, b"Non-user identities cannot create new projects" in answer.content) == (400, True)
    assert Project.objects.count() == 2


def test_it_ends_with_the_fifteenth_minute(issuer: Issuer, publisher: Publisher, time_machine: Any) -> None:
    time_machine.move_to(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False)
    text = minted(issuer.token())
    time_machine.shift(timedelta(seconds=900))
    answer = upload(token=text)
    assert (answer.status_code, b"token is expired" in answer.content) == (403, True)


def test_it_ends_with_the_trust(issuer: Issuer, demo: Project, publisher: Publisher) -> None:
    publisher.projects.add(make_project("other"))
    text = minted(issuer.token())
    publisher.projects.remove(demo)
    answer = upload(token=text)
    assert (answer.status_code, b"does not trust" in answer.content) == (403, True)


def test_it_ends_with_the_publisher(issuer: Issuer, publisher: Publisher) -> None:
    text = minted(issuer.token())
    publisher.delete()
    assert upload(token=text).status_code == 403


@pytest.mark.parametrize("status", [Project.Status.ARCHIVED, Project.Status.QUARANTINED])
def test_archived_and_quarantined_projects_take_nothing(
    issuer: Issuer, demo: Project, publisher: Publisher, status: Project.Status
) -> None:
    text = minted(issuer.token())
    set_status(by=None, project=demo, status=status)
    answer = upload(token=text)
    assert (answer.status_code, status.encode() in answer.content) == (403, True)
    assert not File.objects.exists()


def test_it_is_good_for_uploads_alone(issuer: Issuer, publisher: Publisher) -> None:
    text = minted(issuer.token())
    with pytest.raises(CredentialsRefused):
        identify_user(f"Bearer {text}")
    identity = identify(f"Bearer {text}")
    for permission in ("projects:yank", "projects:write", "account:api-tokens", "projects:read", "api:echo"):
        assert check(identity, permission).code == "credential-kind"
    for path in ("/api/v1/tokens", "/api/v1/projects/demo"):
        assert Client().get(path, headers={"Authorization": f"Bearer {text}"}).status_code in {401, 403}


def test_a_banned_address_neither_mints_nor_publishes(issuer: Issuer, publisher: Publisher) -> None:
    text = minted(issuer.token())
    ban(["127.0.0.0/8"], comment="abuse", until=None, by=None)
    assert refused(issuer.token())[0] == "address-banned"
    assert upload(token=text).status_code == 403


# Once.


def test_an_identity_token_is_worth_one_token(issuer: Issuer, publisher: Publisher) -> None:
    identity = issuer.token()
    minted(identity)
    assert refused(identity) == ("invalid-reuse-token", "invalid token: already used")
    assert MintedToken.objects.count() == 1


def test_it_is_remembered_for_longer_than_it_could_be_taken(
    issuer: Issuer, publisher: Publisher, time_machine: Any
) -> None:
    time_machine.move_to(datetime(2026, 5, 1, 12, tzinfo=UTC), tick=False)
    claims = issuer.claims()
    minted(issuer.signed(claims))
    assert UsedIdentity.objects.get().expires == datetime.fromtimestamp(claims["exp"] + 35, UTC)
    time_machine.move_to(datetime.fromtimestamp(claims["exp"] + 29, UTC), tick=False)
    assert refused(issuer.signed(claims))[0] == "invalid-reuse-token"


def test_what_fails_can_be_tried_again_with_the_same_identity_token(issuer: Issuer, demo: Project) -> None:
    identity = issuer.token()
    assert refused(identity)[0] == "invalid-publisher"
    make_publisher(demo, kind="gitlab", issuer=issuer.url)
    minted(identity)


def test_a_token_can_be_burnt_by_whoever_has_it(issuer: Issuer, publisher: Publisher) -> None:
    text = minted(issuer.token())
    assert ask("packhouse-nonsense", "/_/oidc/burn-token").status_code == 202
    assert ask(None, "/_/oidc/burn-token").status_code == 202
    forged = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")
    assert ask(forged, "/_/oidc/burn-token").status_code == 202
    assert MintedToken.objects.count() == 1
    assert ask(text, "/_/oidc/burn-token").status_code == 202
    assert not MintedToken.objects.exists()
    assert upload(token=text).status_code == 403


# Switches.


@pytest.mark.parametrize("flag", ["disallow-oidc", "disallow-gitlab-oidc", "read-only"])
def test_flags_stop_minting(issuer: Issuer, publisher: Publisher, flag: str) -> None:
    set_flag(name=flag, enabled=True)
    assert refused(issuer.token())[0] == "not-enabled"
    assert not issuer.asked


def test_the_flag_of_another_kind_does_not(issuer: Issuer, publisher: Publisher) -> None:
    set_flag(name="disallow-github-oidc", enabled=True)
    minted(issuer.token())


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[]", b'"text"', b'{"token": 1}', b'{"token": ""}', b"{}", b"[" * 50_000, b"x" * 70_000]
)
def test_what_is_no_request_is_refused(body: bytes) -> None:
    answer = Client().generic("POST", "/_/oidc/mint-token", body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "invalid-payload"
