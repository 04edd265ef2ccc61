"""The pages of a project."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from tests.factories.accounts import make_user
from tests.factories.projects import make_project
from tests.pages import shelves

from packhouse.base import clock
from packhouse.downloads.actions import record_downloads
from packhouse.pages.project import facts
from packhouse.projects import actions
from packhouse.projects.models import File, Project, Release

pytestmark = pytest.mark.django_db
TABS = ("", "files/", "releases/", "dependencies/", "security/", "changes/")


@pytest.fixture
def page():
    def get(path, **headers):
        return Client().get(path, headers=headers)

    return get


@pytest.fixture
def crates():
    return shelves.crates()


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("base", ["/project/crates/", "/project/crates/1.2.0/"])
def test_a_tab_is_public_validated_and_forgotten_with_its_project(page, crates, base, tab):
    first = page(base + tab)
    assert first.status_code == 200
    assert first["Surrogate-Key"] == "project/crates all-html"
    assert first["Cache-Control"].startswith("public")
    assert not first.cookies
    again = page(base + tab, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("/project/My_Crates", "/project/My.Crates/"),
        ("/project/my-crates/", "/project/My.Crates/"),
        ("/project/my-crates/1.0.0", "/project/My.Crates/1.0/"),
        ("/project/My.Crates/v1.0/files?python=py3", "/project/My.Crates/1.0/files/?python=py3"),
        ("/p/my-crates", "/project/My.Crates/"),
        ("/pypi/my-crates/1.0.0/", "/project/My.Crates/1.0/"),
        ("/pypi/MY-crates/", "/project/My.Crates/"),
        ("/pypi?:action=display&name=my-crates&version=1.0.0", "/project/My.Crates/1.0/"),
        ("/pypi?:action=display&name=my-crates", "/project/My.Crates/"),
        ("/pypi?:action=files&name=my-crates&version=1.0", "/project/My.Crates/1.0/#files"),
    ],
)
def test_another_spelling_leads_to_the_right_one_in_one_hop(page, asked, right):
    shelves.publish(make_project("My.Crates"), "1.0")
    answer = page(asked)
    assert (answer.status_code, answer["Location"]) == (301, right)
    assert page(right.partition("#")[0]).status_code == 200


def test_what_is_not_there_is_not_found(page):
    make_project("empty")
    assert page("/project/nowhere/").status_code == 404
    assert page("/project/empty/").status_code == 404
    assert page("/project/empty/9.9/").status_code == 404
    assert page("/project/empty/not-a-version/").status_code == 404


def test_facts_stand_on_the_page_and_what_is_verified_stands_apart(page, crates):
    text = page("/project/crates/").content.decode()
    for fact in ("1.4.0", "Pack things into crates", "&gt;=3.10", "3.10, 3.11, 3.12", "spdx.org/licenses/MIT.html"):
        assert fact in text
    assert "crates-packer" in text
    verified = text.partition("Verified links")[2].partition("Links, not verified")[0]
    assert "Index page" in verified
    assert "crates.example" not in verified


def test_the_install_commands_name_this_index_and_the_version_where_it_matters(page, crates, settings):
    index = f"{settings.PACKHOUSE.public_url}/simple/"
    assert f"pip install --index-url {index} crates<" in page("/project/crates/").content.decode()
    assert f"pip install --index-url {index} crates==1.2.0<" in page("/project/crates/1.2.0/").content.decode()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"project": {"status": "quarantined"}}, "This project is in quarantine"),
        ({"project": {"status": "archived"}}, "This project is archived"),
        ({"release": {"quarantined": True}}, "This release is in quarantine"),
        ({"release": {"yanked": True, "yanked_reason": "<b>rotten</b>"}}, "&lt;b&gt;rotten&lt;/b&gt;"),
        ({"release": {"is_prerelease": True}}, "This is a pre-release"),
    ],
)
def test_a_banner_says_what_is_special(page, change, said):
    project = make_project("odd")
    shelves.publish(project, "1.0")
    Project.objects.filter(pk=project.pk).update(**change.get("project", {}))
    Release.objects.filter(project=project).update(**change.get("release", {"summary": "odd"}))
    assert said in page("/project/odd/1.0/").content.decode()


@pytest.mark.parametrize(
    ("change", "word"), [("yank", "Yanked"), ("archive", "Archived"), ("quarantine", "Quarantined")]
)
def test_the_banner_and_the_facts_say_since_when(page, crates, change, word):
    release = Release.objects.get(version="1.4.0")
    with time_machine.travel("2031-05-06T07:08:09Z", tick=False):
        if change == "yank":
            actions.yank_release(by=None, release=release)
        else:
            status = Project.Status.ARCHIVED if change == "archive" else Project.Status.QUARANTINED
            actions.set_status(by=None, project=release.project, status=status)
        shown = page("/project/crates/1.4.0/").content.decode()
    assert shown.count('datetime="2031-05-06T07:08:09+00:00"') >= 2
    assert f"<dt>{word}</dt>" in shown


@pytest.mark.parametrize("where", ["project", "release"])
def test_what_is_in_quarantine_shows_no_files_and_no_way_to_install(page, crates, where):
    if where == "project":
        Project.objects.update(status="quarantined")
    else:
        Release.objects.filter(version="1.4.0").update(quarantined=True)
    for tab in TABS:
        text = page(f"/project/crates/1.4.0/{tab}").content.decode()
        assert "/packages/" not in text
        assert "pip install" not in text


def test_search_engines_find_one_address_of_a_project_and_none_of_a_new_one(page, crates, settings):
    text = page("/project/crates/1.2.0/").content.decode()
    assert f'<link rel="canonical" href="{settings.PACKHOUSE.public_url}/project/crates/">' in text
    assert '<meta name="robots" content="noindex">' in text
    Project.objects.update(created=clock.now() - timedelta(days=31))
    assert "noindex" not in page("/project/crates/1.2.0/").content.decode()


def test_downloads_are_drawn_and_told_in_numbers(page, crates):
    text = page("/project/crates/").content.decode()
    assert text.count("<rect") == 30
    assert "By installer" in text
    assert "Downloads" not in page("/project/crates/1.0/").content.decode()


def test_a_project_that_gets_the_number_of_a_deleted_one_does_not_get_its_downloads(page, crates):
    assert "By installer" in page("/project/crates/").content.decode()
    number, release = crates.pk, crates.releases.get(version="1.2.0").pk
    crates.delete()
    boxes = Project.objects.create(pk=number, name="boxes", normalized_name="boxes", skeleton="boxes")
    Release.objects.create(pk=release, project=boxes, version="1.0", canonical_version="1", sort_key=b"1")
    assert "By installer" not in page("/project/boxes/").content.decode()


def test_files_are_filtered_by_what_they_run_on(page, crates):
    def names(query):
        text = page(f"/project/crates/files/?{query}").content.decode()
        return [name for name in File.objects.values_list("filename", flat=True) if f'id="{name}"' in text]

    assert len(names("")) == 6
    assert names("platform=win_amd64") == ["crates-1.4.0-cp313-cp313t-win_amd64.whl"]
    assert len(names("python=cp312")) == 2
    assert names("abi=cp311") == ["crates-1.4.0-cp311-cp311-musllinux_1_2_aarch64.whl"]
    assert names("text=TAR") == ["crates-1.4.0.tar.gz"]
    assert names("text=nothing") == []


def test_releases_say_what_they_are(page, crates):
    text = page("/project/crates/releases/").content.decode()
    order = [text.index(f"/project/crates/{version}/") for version in ("2.0rc1", "1.4.0", "1.2.0", "1.1", "1.0")]
    assert order == sorted(order)
    for word in ("Yanked", "Nails were missing", "Pre-release", "This release"):
        assert word in text


def test_dependencies_link_to_what_is_here(page, crates):
    text = page("/project/crates/dependencies/").content.decode()
    assert '<a href="/project/click/">click</a>' in text
    assert "/project/nails/" not in text
    assert "lids[brass]" in text
    assert "With the extra “lids”" in text


def test_two_releases_can_be_compared(page, crates):
    text = page("/project/crates/1.4.0/changes/").content.decode()
    assert "From 1.2.0 to 1.4.0" in text
    assert '<del dir="auto">nails&gt;=1</del>' in text
    assert '<ins dir="auto">nails&gt;=2,&lt;3</ins>' in text
    assert "From 1.0 to 1.4.0" in page("/project/crates/1.4.0/changes/?since=1.0").content.decode()
    assert page("/project/crates/1.4.0/changes/?since=77").status_code == 404
    assert "first release" in page("/project/crates/1.0/changes/").content.decode()


@pytest.mark.parametrize("tab", TABS)
def test_no_page_asks_more_of_the_database_because_a_project_is_large(page, django_assert_max_num_queries, tab):
    project = make_project("large", owner=make_user())
    for number in range(3):
        shelves.publish(project, f"1.{number}")
    releases = [shelves.release_of(project, f"2.{number}") for number in range(300)]
    Release.objects.bulk_create(releases)
    File.objects.bulk_create(
        file
        for number, release in enumerate(releases)
        for part in ("", "-1")
        if (file := shelves.file_of(project, release.version, f"large-2.{number}{part}-py3-none-any.whl"))
        and (setattr(file, "release", release) or True)
    )
    page("/project/large/")
    with django_assert_max_num_queries(12):
        assert page(f"/project/large/{tab}").status_code == 200


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["fake data test"], ("fake", "data", "test")),
        (["machine learning"], ("machine learning",)),
        (["a b c", "d"], ("a b c", "d")),
    ],
)
def test_keywords_that_only_spaces_divide_are_keywords_of_their_own(given, shown):
    assert facts.about(Release(metadata={"keywords": given})).keywords == shown


def test_imports_are_shown_as_programs_write_them_and_private_ones_are_not():
    """PEP 794."""
    said = {
        "import_name": ["crates", "_crates ; private", ""],
        "import_namespace": ["crates", "wood;private", "wood.x"],
    }
    assert facts.about(Release(metadata=said)).import_names == ("crates", "wood.x")


def test_hebrew_pages_read_from_the_right_and_group_numbers(client):
    project = shelves.crates("boxes")
    agent = 'pip/25.1 {"installer":{"name":"pip","version":"25.1"},"python":"3.12.4"}'
    yesterday = clock.now().date() - timedelta(days=1)
    record_downloads({(project.files.first().path, agent): 1234567}, yesterday)
    page = client.get("/project/boxes/", headers={"Accept-Language": "he"}).content.decode()
    assert '<html lang="he" dir="rtl">' in page
    assert re.search(r"<strong>1,2\d\d,\d\d\d</strong>", page)
    assert "הורדות" in page
