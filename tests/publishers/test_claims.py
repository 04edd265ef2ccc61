"""Which claims are whose: every claim of a good token is changed, and says why it is refused."""

from typing import Any

import pytest
from tests.factories.projects import make_project
from tests.factories.publishers import FIELDS, PINS, make_publisher
from tests.publishers.asking import minted, refused
from tests.publishers.issuer import CLAIMS, Issuer

from packhouse.publishers import issuers, matching
from packhouse.publishers.models import MintedToken, Publisher
from packhouse.publishers.providers import PROVIDERS
from packhouse.publishers.providers.provider import Issuer as Known
from packhouse.publishers.providers.provider import address
from packhouse.publishers.verification import MintRefused

pytestmark = pytest.mark.django_db


def found(kind: str, **change: Any) -> Publisher:
    """The publisher that a good token of the public issuer leads to, but for what is changed; None leaves it out."""
    at = Known(kind, PROVIDERS[kind].issuer)
    claims = {"iss": at.url, "jti": "one"} | CLAIMS[kind](at.host) | change
    return matching.publisher_of(at, {name: value for name, value in claims.items() if value is not None})


@pytest.mark.parametrize("kind", PROVIDERS)
def test_good_claims_lead_to_the_publisher(kind: str) -> None:
    publisher = make_publisher(make_project(), kind=kind)
    assert found(kind) == publisher


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("github", {"repository": "acme/other"}),
    ("github", {"repository": "acme"}),
    ("github", {"repository": "mallory/demo"}),
    ("github", {"repository_owner": "mallory"}),
    ("github", {"repository_owner_id": "1002"}),
    ("github", {"repository_owner_id": "1001 "}),
    ("github", {"job_workflow_ref": "acme/demo/.github/workflows/other.yml@refs/tags/v1"}),
    ("github", {"job_workflow_ref": "acme/demo/.github/workflows/Release.yml@refs/tags/v1"}),
    ("github", {"job_workflow_ref": "mallory/demo/.github/workflows/release.yml@refs/tags/v1"}),
    ("github", {"job_workflow_ref": "acme/demo/.github/workflows/release.yml@refs/heads/main"}),
    ("github", {"job_workflow_ref": "acme/demo/.github/workflows/release.yml@"}),
    ("github", {"job_workflow_ref": "acme/demo/.github/workflows/release.yml@", "ref": "", "sha": ""}),
    (
        "github",
        {"job_workflow_ref": "x/y/.github/workflows/release.yml@acme/demo/.github/workflows/release.yml@refs/tags/v1"},
    ),
    ("github", {"job_workflow_ref": "acme/demo/release.yml@refs/tags/v1"}),
    ("github", {"event_name": "pull_request_target"}),
    ("github", {"event_name": "workflow_run"}),
    ("github", {"event_name": "something_new"}),
    ("gitlab", {"iss": "https://gitlab.example"}),
    ("gitlab", {"project_path": "acme/tools/other"}),
    ("gitlab", {"project_path": "acme/demo"}),
    ("gitlab", {"project_path": "demo"}),
    ("gitlab", {"project_id": "2003"}),
    ("gitlab", {"sub": "project_path:acme/tools/demonstration:ref_type:tag:ref:v1"}),
    ("gitlab", {"sub": "acme/tools/demo"}),
    ("gitlab", {"ci_config_ref_uri": "gitlab.com/acme/tools/demo//other.yml@refs/tags/v1"}),
    ("gitlab", {"ci_config_ref_uri": "gitlab.com/acme/tools/demo//ci/Release.yml@refs/tags/v1"}),
    ("gitlab", {"ci_config_ref_uri": "elsewhere.example/acme/tools/demo//ci/release.yml@refs/tags/v1"}),
    ("gitlab", {"ci_config_ref_uri": "gitlab.com/acme/tools/demo//ci/release.yml@refs/heads/main"}),
    ("gitlab", {"ci_config_ref_uri": "gitlab.com/acme/tools/demo//ci/release.yml"}),
    ("google", {"email": "mallory@acme.iam.gserviceaccount.com"}),
    ("google", {"email": "Job@acme.iam.gserviceaccount.com"}),
    ("google", {"email_verified": False}),
    ("google", {"email_verified": "true"}),
    ("google", {"email_verified": 1}),
    ("activestate", {"organization": "mallory"}),
    ("activestate", {"organization": "Acme"}),
    ("activestate", {"project": "other"}),
    ("activestate", {"actor_id": "3004"}),
    ("activestate", {"builder": "other"}),
    ("activestate", {"sub": "org:acme:project:demonstration"}),
]
NEEDED = {
    "github": [
        *("repository", "repository_owner", "repository_owner_id", "job_workflow_ref", "event_name"),
        *("ref", "sha", "jti"),
    ],
    "gitlab": ["iss", "project_path", "project_id", "sub", "ci_config_ref_uri", "ref_path", "sha", "jti"],
    "google": ["email", "email_verified"],
    "activestate": ["organization", "project", "actor_id", "builder", "sub"],
}


@pytest.mark.parametrize(("kind", "change"), REFUSED, ids=lambda value: str(value)[:90])
def test_one_claim_that_is_otherwise_is_one_too_many(kind: str, change: dict[str, Any]) -> None:
    make_publisher(make_project(), kind=kind)
    with pytest.raises(MintRefused) as caught:
        found(kind, **change)
    assert caught.value.code == "invalid-publisher"
    assert caught.value.description.startswith("valid token, but no corresponding publisher (")


@pytest.mark.parametrize("value", [None, 5, True, ["x"], {}], ids=str)
@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NEEDED.items() for name in names])
def test_a_claim_that_is_missing_or_no_text_is_refused(kind: str, name: str, value: Any) -> None:
    if (name, value) == ("email_verified", True):
        value = False
    make_publisher(make_project(), kind=kind)
    with pytest.raises(MintRefused):
        found(kind, **{name: value})


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("github", {"repository": "ACME/demo", "repository_owner": "Acme"}),
        ("github", {"job_workflow_ref": "Acme/DEMO/.github/workflows/release.yml@0123abc"}),
        ("github", {"sub": None, "repo_property_team": "core", "environment": "production"}),
        ("github", {"ref": ""} | {"job_workflow_ref": "acme/demo/.github/workflows/release.yml@0123abc"}),
        ("gitlab", {"project_path": "Acme/Tools/demo", "environment": "production"}),
        ("gitlab", {"ci_config_ref_uri": "gitlab.com/acme/tools/demo//ci/release.yml@0123abc"}),
        ("google", {"jti": None}),
        ("activestate", {"sub": "org:acme:project:demo:commit:5"}),
    ],
    ids=str,
)
def test_what_does_not_matter_does_not_matter(kind: str, change: dict[str, Any]) -> None:
    publisher = make_publisher(make_project(), kind=kind)
    assert found(kind, **change) == publisher


# Environments.


def test_the_publisher_with_the_environment_is_preferred() -> None:
    project = make_project()
    anywhere = make_publisher(project, kind="github")
    production = make_publisher(project, kind="github", environment="production")
    assert found("github", environment="Production") == production
    assert found("github", environment="staging") == anywhere
    assert found("github") == anywhere


@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize("environment", [None, "", "staging", 5, "production "])
def test_a_publisher_with_an_environment_is_none_outside_of_it(kind: str, environment: Any) -> None:
    make_publisher(make_project(), kind=kind, environment="production")
    with pytest.raises(MintRefused):
        found(kind, environment=environment)


def test_the_case_of_an_environment_counts_at_gitlab() -> None:
    publisher = make_publisher(make_project(), kind="gitlab", environment="Production")
    assert found("gitlab", environment="Production") == publisher
    with pytest.raises(MintRefused):
        found("gitlab", environment="production")


def test_the_publisher_with_the_number_of_the_account_is_preferred_at_google() -> None:
    project = make_project()
    anybody = make_publisher(project, kind="google")
    one = make_publisher(project, kind="google", subject="1234")
    assert found("google") == one
    assert found("google", sub="77") == anybody


# What outlives a name.


def test_the_first_use_pins_the_project_at_gitlab() -> None:
    publisher = make_publisher(make_project(), kind="gitlab", pinned="")
    found("gitlab")
    publisher.refresh_from_db()
    assert publisher.pinned == "2002"
    with pytest.raises(MintRefused, match="not the one that was trusted"):
        found("gitlab", project_id="666")


def test_a_publisher_that_was_added_again_without_the_number_becomes_the_same() -> None:
    one, other = make_project("one"), make_project("other")
    publisher = make_publisher(one, kind="gitlab")
    loose = make_publisher(one, other, kind="gitlab", pinned="")
    assert found("gitlab") == publisher
    assert set(publisher.projects.all()) == {one, other}
    assert not Publisher.objects.filter(pk=loose.pk).exists()


def test_whoever_takes_an_abandoned_name_is_somebody_else(github: Issuer) -> None:
    make_publisher(make_project("demo"), kind="github", issuer=github.url)
    code, why = refused(github.token("github", repository_owner_id="1002"))
    assert (code, "although its name is the same" in why) == ("invalid-publisher", True)
    minted(github.token("github"))


# Issuers.


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_publisher_belongs_to_its_issuer(kind: str) -> None:
    at, elsewhere = Known(kind, PROVIDERS[kind].issuer), Known(kind, "https://elsewhere.example")
    assert address(PROVIDERS[kind], at, FIELDS[kind]) != address(PROVIDERS[kind], elsewhere, FIELDS[kind])


def test_public_issuers_are_always_known(settings: Any) -> None:
    assert [issuers.issuer_at(provider.issuer) for provider in PROVIDERS.values()] == [
        Known(provider.kind, provider.issuer) for provider in PROVIDERS.values()
    ]
    assert issuers.issuer_at("https://elsewhere.example") is None


def test_a_server_of_ones_own_is_as_good(github: Issuer) -> None:
    publisher = make_publisher(make_project("demo"), kind="github", issuer=github.url)
    make_publisher(make_project("other"), kind="github")
    minted(github.token("github"))
    assert MintedToken.objects.get().publisher == publisher
    assert PINS["github"] == publisher.pinned
