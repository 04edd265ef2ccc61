"""What the pages of a project tell of where its files come from."""

import re
from dataclasses import replace
from html import unescape

import pytest
from django.test import Client
from tests.factories.projects import make_project
from tests.factories.sigstore import COMMIT
from tests.pages import shelves

from packhouse.attestations.queries import release_provenance
from packhouse.attestations.status import ReleaseProvenance, Source, source_of

pytestmark = pytest.mark.django_db

RELEASE = Source("GitHub", "crates/crates", "release.yml")
WHEELS = Source("GitHub", "crates/crates", "wheels.yml")


def shown(path):
    """The text of a page as people read it."""
    answer = Client().get(path)
    assert answer.status_code == 200, path
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2])).split())


def markup(path):
    return Client().get(path).content.decode().partition("<main")[2]


def told(version):
    release = shelves.Release.objects.get(project__name="crates", version=version)
    return release_provenance(release, release.files.count())


def test_each_file_tells_its_publisher_its_source_and_its_place_in_the_log():
    shelves.attested()
    text = shown("/project/crates/1.2.0/files/")
    for words in (
        "Provenance: crates/crates",
        "Publisher GitHub · crates/crates",
        "Workflow release.yml",
        "Environment pypi",
        "Attestation of publishing",
        "Statement https://in-toto.io/Statement/v1",
        "Subject crates-1.2.0-py3-none-any.whl",
        "Transparency log Entry 123456",
        f"Source {COMMIT[:12]}… · v1.4.0",
        "Owner https://github.com/crates",
        "Visibility public repository",
        "Trigger release",
        "Runner github-hosted",
        "Issuer https://token.actions.githubusercontent.com",
    ):
        assert words in text, words
    page = markup("/project/crates/1.2.0/files/")
    for link in (
        "https://github.com/crates/crates",
        f"https://github.com/crates/crates/tree/{COMMIT}",
        f"https://github.com/crates/crates/blob/{COMMIT}/.github/workflows/release.yml",
        "https://github.com/crates/crates/actions/runs/123/attempts/1",
        "https://search.sigstore.dev/?logIndex=123456",
        "/integrity/crates/1.2.0/crates-1.2.0-py3-none-any.whl/provenance",
        "/help/#attestations",
    ):
        assert re.search(f'href="[^"]*{re.escape(link)}"', page), link


def test_an_own_log_is_not_looked_up_in_the_public_one(settings):
    shelves.attested()
    settings.PACKHOUSE = replace(settings.PACKHOUSE, attestation_root="/etc/sigstore/trusted_root.json")
    assert "Transparency log Entry 123456" in shown("/project/crates/1.2.0/files/")
    assert "search.sigstore.dev" not in markup("/project/crates/1.2.0/files/")


def test_a_gitlab_has_other_addresses_and_what_is_no_link_is_none():
    project = make_project("crates")
    release = shelves.publish(project, "1.0").release
    shelves.attest(
        release,
        publisher={"kind": "GitLab", "repository": "g/s/crates", "workflow_filepath": "ci/a.yml", "environment": None},
        issuer="https://gitlab.example",
        repository="https://gitlab.example/g/s/crates",
        workflow="https://gitlab.example/g/s/crates//ci/a.yml@refs/heads/main",
        ref="refs/heads/main",
        run="javascript:alert(1)",
        visibility="<b>odd</b>",
    )
    page = markup("/project/crates/1.0/files/")
    assert f"https://gitlab.example/g/s/crates/-/tree/{COMMIT}" in page
    assert f"https://gitlab.example/g/s/crates/-/blob/{COMMIT}/ci/a.yml" in page
    assert "javascript:" not in page
    assert "<b>odd" not in page
    assert "Workflow ci/a.yml" in shown("/project/crates/1.0/files/")


def test_a_service_account_has_an_address_alone():
    release = shelves.publish(make_project("crates"), "1.0").release
    nothing = dict.fromkeys(("repository", "workflow", "run", "commit", "ref", "owner", "trigger", "runner"), "")
    shelves.attest(release, publisher={"kind": "Google", "email": "robot@gcp.example"}, **nothing)
    text = shown("/project/crates/1.0/files/")
    assert "Publisher Google · robot@gcp.example" in text
    assert "Workflow" not in text


def test_files_without_provenance_say_nothing_of_it():
    shelves.crates()
    assert "Provenance" not in shown("/project/crates/files/")
    assert "Provenance" not in shown("/project/crates/").partition("Trigger")[0]
    assert "No file of this release says where it comes from." in shown("/project/crates/security/")


def test_a_release_tells_where_all_its_files_come_from():
    shelves.attested()
    text = shown("/project/crates/1.2.0/security/")
    assert (
        "The index has verified where all files of this release come from: GitHub · crates/crates · release.yml" in text
    )
    assert "came from elsewhere" not in text
    assert "Provenance crates/crates" in shown("/project/crates/1.2.0/")


def test_a_release_of_another_workflow_says_so_and_how_many_files_tell():
    shelves.attested()
    text = shown("/project/crates/security/")
    assert "where 6 of the 7 files of this release come from: GitHub · crates/crates · wheels.yml" in text
    assert "1.2.0 came from elsewhere: crates/crates ( release.yml )" in text
    assert "Provenance crates/crates (some files)" in shown("/project/crates/")


def test_a_release_that_has_lost_its_provenance_says_so():
    shelves.attested()
    text = shown("/project/crates/2.0rc1/security/")
    assert "The files of 1.4.0 say where they come from; those of this release do not." in text
    assert "Lost since the release before" in shown("/project/crates/2.0rc1/")


def test_files_of_several_places_are_pointed_out():
    project = make_project("crates")
    release = shelves.publish(project, "1.0").release
    shelves.attest(release, publisher=shelves.CRATES_PUBLISHER)
    shelves.publish(project, "1.0", "crates-1.0.tar.gz")
    shelves.attest(release, publisher=shelves.CRATES_PUBLISHER | {"repository": "other/crates"})
    assert "The files of this release come from more than one place." in shown("/project/crates/security/")
    assert "Provenance Several sources" in shown("/project/crates/")


def test_hidden_releases_tell_nothing():
    project = shelves.attested()
    type(project).objects.filter(pk=project.pk).update(status="quarantined")
    assert "Provenance" not in shown("/project/crates/1.2.0/security/")
    assert "Provenance" not in shown("/project/crates/1.2.0/files/")


def test_the_rule_of_releases(django_assert_num_queries):
    shelves.attested()
    assert told("1.0") == ReleaseProvenance(1, 0, ())
    assert (told("1.0").coverage, told("1.0").is_lost) == ("none", False)
    assert told("1.2.0") == ReleaseProvenance(1, 1, (RELEASE,))
    assert told("1.4.0") == ReleaseProvenance(7, 6, (WHEELS,), "1.2.0", (RELEASE,))
    assert (told("1.4.0").coverage, told("1.4.0").is_changed, told("1.4.0").new_sources) == ("partial", True, (WHEELS,))
    assert (told("2.0rc1").before, told("2.0rc1").is_lost, told("2.0rc1").is_changed) == ("1.4.0", True, False)
    shelves.Release.objects.filter(version="1.4.0").update(quarantined=True)
    assert told("2.0rc1").before == "1.2.0"
    release = shelves.Release.objects.get(project__name="crates", version="1.4.0")
    with django_assert_num_queries(3):
        release_provenance(release, 7)


@pytest.mark.parametrize(
    ("sources", "former", "changed"),
    [
        ((), (RELEASE,), False),
        ((RELEASE,), (), False),
        ((RELEASE,), (RELEASE,), False),
        ((RELEASE,), (RELEASE, WHEELS), False),
        ((WHEELS,), (RELEASE,), True),
        ((RELEASE, WHEELS), (RELEASE,), True),
    ],
)
def test_a_release_has_changed_where_it_has_a_source_that_the_one_before_had_not(sources, former, changed):
    assert ReleaseProvenance(1, len(sources), sources, "1.0", former).is_changed is changed


def test_a_publisher_that_names_nothing_is_no_source():
    assert source_of({}) is None
    assert source_of({"kind": "Else", "repository": None}) is None
    assert source_of({"kind": "GitHub", "repository": "a/b"}) == Source("GitHub", "a/b", "")
