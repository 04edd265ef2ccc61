"""What a change of a project does to the documents that installers read."""

import json

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version
from tests.factories.accounts import make_user
from tests.factories.statements import statements
from tests.index import world

from packhouse.documents.models import Change, Document, Segment
from packhouse.documents.segments import deflate
from packhouse.documents.upkeep import stored
from packhouse.index import rows, sources
from packhouse.integrations.actions import report
from packhouse.integrations.ranges import FIXED, INTRODUCED
from packhouse.integrations.reports import Report
from packhouse.projects.models import Filename, Project, Release
from packhouse.specs.metadata import CoreMetadata

pytestmark = pytest.mark.django_db


def test_the_first_file_appears_everywhere():
    project = world.create("Demo.Pkg")
    file = world.publish(project, "1.0", "demo_pkg-1.0-py3-none-any.whl", metadata_sha256="cd" * 32)
    url = f"{sources.public_url()}/packages/{file.path}"
    serial = Project.objects.get().last_serial
    assert world.page("simple/demo-pkg").decode() == (
        '{"files":[{"core-metadata":{"sha256":"'
        + "cd" * 32
        + '"},"data-dist-info-metadata":{"sha256":"'
        + "cd" * 32
        + '"},"filename":"demo_pkg-1.0-py3-none-any.whl","hashes":{"sha256":"'
        + file.sha256
        + '"},"provenance":null,'
        '"requires-python":null,"size":29,"upload-time":"2026-01-02T12:00:00.000029Z","url":"' + url + '",'
        f'"yanked":false}}],"meta":{{"_last-serial":{serial},"api-version":"1.4"}},"name":"demo-pkg",'
        '"project-status":{"status":"active"},"versions":["1.0"]}\n'
    )
    assert world.page("simple/demo-pkg", "html").decode() == (
        f"""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta name="pypi:repository-version" content="1.4">
<meta name="pypi:project-status" content="active">    <title>Links for demo-pkg</title>
  </head>
  <body>
    <h1>Links for demo-pkg</h1>
<a href="{url}#sha256={file.sha256}" data-dist-info-metadata="sha256={"cd" * 32}" """
        f"""data-core-metadata="sha256={"cd" * 32}">demo_pkg-1.0-py3-none-any.whl</a><br />
</body>
</html>
<!--SERIAL {serial}-->"""
    )
    assert json.loads(world.page("index")) == {
        "meta": {"_last-serial": serial, "api-version": "1.4"},
        "projects": [{"_last-serial": serial, "name": "Demo.Pkg"}],
    }
    assert json.loads(world.page("project/demo-pkg"))["releases"]["1.0"][0]["url"] == url
    assert set(world.everything()) == {"index", "simple/demo-pkg", "project/demo-pkg", "release/demo-pkg/1"}


def test_the_json_api_says_all_about_a_release():
    owner, maintainer = make_user("zoe"), make_user("abe")
    project = world.create("Demo")
    world.set_role(project, maintainer, "Maintainer")
    world.set_role(project, owner, "Owner")
    metadata = CoreMetadata(
        author_email="A <a@b.example>",
        keywords=("one", "two"),
        platforms=("any", "linux"),
        classifiers=("Topic :: Software Development",),
        home_page="https://demo.example/",
        project_urls=(
            ("homepage", "https://demo.example/"),
            ("Home Page", "https://other.example/"),
            ("Docs", "https://d.example"),
        ),
        requires_dist=("attrs>=20",),
        dynamic=("Requires-Dist",),
    ).to_json()
    file = world.publish(
        project,
        "1.0",
        "demo-1.0.tar.gz",
        comment="né",
        release_fields={"metadata": metadata, "requires_python": ">=3.9", "summary": "Démo"},
    )
    world.yank(file.release, "broken")
    base = sources.public_url()
    serial = Project.objects.get().last_serial
    entry = {
        "comment_text": "né",
        "core-metadata": False,
        "digests": {"blake2b_256": file.blake2_256, "md5": file.md5, "sha256": file.sha256},
        "downloads": -1,
        "filename": "demo-1.0.tar.gz",
        "has_sig": False,
        "md5_digest": file.md5,
        "packagetype": "sdist",
        "python_version": "source",
        "requires_python": ">=3.9",
        "size": 15,
        "upload_time": "2026-01-02T12:00:00",
        "upload_time_iso_8601": "2026-01-02T12:00:00.000015Z",
        "url": f"{base}/packages/{file.path}",
        "yanked": True,
        "yanked_reason": "broken",
    }
    expected = {
        "info": {
            "author": None,
            "author_email": "A <a@b.example>",
            "bugtrack_url": None,
            "classifiers": ["Topic :: Software Development"],
            "description": "# Demo\n",
            "description_content_type": "text/markdown",
            "docs_url": None,
            "download_url": None,
            "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
            "dynamic": ["Requires-Dist"],
            "home_page": "https://demo.example/",
            "keywords": "one, two",
            "license": None,
            "license_expression": None,
            "license_files": None,
            "maintainer": None,
            "maintainer_email": None,
            "name": "Demo",
            "package_url": f"{base}/project/Demo/",
            "platform": "any",
            "project_url": f"{base}/project/Demo/",
            "project_urls": {
                "Docs": "https://d.example",
                "Home Page": "https://other.example/",
                "Homepage": "https://demo.example/",
            },
            "provides_extra": None,
            "release_url": f"{base}/project/Demo/1.0/",
            "requires_dist": ["attrs>=20"],
            "requires_python": ">=3.9",
            "summary": "Démo",
            "version": "1.0",
            "yanked": True,
            "yanked_reason": "broken",
        },
        "last_serial": serial,
        "ownership": {
            "organization": None,
            "roles": [{"role": "Owner", "user": "zoe"}, {"role": "Maintainer", "user": "abe"}],
        },
        "releases": {"1.0": [entry]},
        "urls": [entry],
        "vulnerabilities": [],
    }
    compact = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
    assert world.page("project/demo").decode() == json.dumps(expected, **compact) + "\n"

    shared = world.everything()["project/demo"][1]
    release = world.page("release/demo/1").decode()
    spliced = release.replace(',"urls"', f',{shared},"urls"').replace(",,", ",")
    del expected["releases"]
    assert spliced == json.dumps(expected, **compact) + "\n"


def test_releases_stand_in_string_order_and_the_latest_is_the_newest_final_one_not_yanked():
    project = world.create("demo")
    for version in ["9.0", "10.0", "11.0rc1", "1.0"]:
        world.publish(project, version, f"demo-{version}.tar.gz")
    world.yank(project.releases.get(version="10.0"))
    document = json.loads(world.page("project/demo"))
    assert list(document["releases"]) == ["1.0", "10.0", "11.0rc1", "9.0"]
    assert document["info"]["version"] == "9.0"
    assert [file["filename"] for file in document["urls"]] == ["demo-9.0.tar.gz"]
    assert json.loads(world.page("simple/demo"))["versions"] == ["1.0", "9.0", "10.0", "11.0rc1"]


def test_a_quarantined_project_keeps_an_empty_page_and_nothing_else():
    project = world.create("demo")
    world.publish(project, "1", "demo-1.tar.gz")
    before = world.everything()
    world.set_status(project, "quarantined")
    page = json.loads(world.page("simple/demo"))
    assert (page["files"], page["versions"], page["project-status"]) == ([], [], {"status": "quarantined"})
    assert json.loads(world.page("index"))["projects"] == []
    assert set(world.everything()) == {"index", "simple/demo", "withheld"}
    world.set_status(project, "active")
    assert set(world.everything()) == {*before, "withheld"}


def test_a_quarantined_release_is_left_out_everywhere():
    project = world.create("demo")
    for version in ["1", "2"]:
        world.publish(project, version, f"demo-{version}.tar.gz")
    world.quarantine_release(project.releases.get(version="2"))
    assert json.loads(world.page("simple/demo"))["versions"] == ["1"]
    document = json.loads(world.page("project/demo"))
    assert (document["info"]["version"], list(document["releases"])) == ("1", ["1"])
    assert world.page("release/demo/2") is None


def test_the_places_of_files_in_quarantine_are_listed_and_of_no_others():
    project, other = world.create("demo"), world.create("other")
    files = [world.publish(project, version, f"demo-{version}.tar.gz") for version in ["1", "2"]]
    world.publish(other, "1", "other-1.tar.gz")
    held = project.releases.get(version="2")
    world.quarantine_release(held)
    assert withheld() == {place(files[1])}
    late = world.publish(project, "2", "demo-2-py3-none-any.whl")
    assert withheld() == {place(files[1]), place(late)}
    world.set_status(project, "quarantined")
    assert withheld() == {place(file) for file in [*files, late]}
    world.set_status(project, "active")
    assert withheld() == {place(files[1]), place(late)}
    world.quarantine_release(Release.objects.get(pk=held.pk), quarantined=False)
    assert withheld() == set()


def test_what_is_in_quarantine_is_found_without_reading_all_rows():
    """By an index of what is in quarantine alone: an index of a million projects has ten million releases."""
    names = {"project_in_quarantine", "release_in_quarantine"}
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    plans = [
        Project.objects.filter(status="quarantined").values("pk").explain(),
        Release.objects.filter(quarantined=True).values("pk").explain(),
    ]
    assert {name for name in names for plan in plans if name in plan} == names


def withheld():
    return set(json.loads(world.page("withheld")))


def place(file):
    return file.path.rpartition("/")[0]


def test_archiving_changes_the_status_but_no_serial():
    project = world.create("demo")
    world.publish(project, "1", "demo-1.tar.gz")
    serial = Project.objects.get().last_serial
    world.set_status(project, "archived")
    page = json.loads(world.page("simple/demo"))
    assert page["project-status"] == {"status": "archived"}
    assert (page["meta"]["_last-serial"], len(page["files"])) == (serial, 1)


def test_a_deleted_project_leaves_nothing():
    project = world.create("demo")
    world.publish(project, "1", "demo-1.tar.gz")
    world.delete_project(project)
    assert set(world.everything()) == {"index", "withheld"}
    assert json.loads(world.page("index"))["projects"] == []


def test_a_new_spelling_of_the_name_reaches_every_document():
    project = world.create("demo")
    for version in ["1", "2"]:
        world.publish(project, version, f"demo-{version}.tar.gz", name="demo" if version == "1" else "Demo")
    assert b'"name":"Demo"' in world.page("release/demo/1")
    assert json.loads(world.page("index"))["projects"][0]["name"] == "Demo"


def test_an_upload_into_a_large_project_asks_and_writes_as_little_as_into_a_small_one():
    project = world.create("demo")
    world.publish(project, "1.0", "demo-1.0.tar.gz")
    world.fill(project, [(f"2.{number}", f"demo-2.{number}.tar.gz") for number in range(150)])
    world.fill(project, [("1.1", f"demo-1.1-{number}-py3-none-any.whl") for number in range(300)])
    world.everything_anew()
    assert Segment.objects.filter(document_id="simple/demo").count() > 5
    newest = Change.objects.latest("pk").pk
    with CaptureQueriesContext(connection) as queries:
        world.publish(project, "1.1", "demo-1.1-0a-py3-none-any.whl")
    asked = statements(queries)
    assert len(asked) <= 42, "\n".join(text[:150] for text in asked)
    assert max(text.count("demo-2.") for text in asked) == 0
    assert world.changed_since(newest) == {"index", "simple/demo", "project/demo", "release/demo/1.1"}


def large_project(monkeypatch):
    """One of several segments, whose versions nobody asks for again."""
    project = world.create("demo")
    world.publish(project, "1.0", "demo-1.0.tar.gz")
    monkeypatch.setattr(sources, "FILES_IN_SEGMENT", 4)
    world.fill(project, [(f"2.{number}", f"demo-2.{number}.tar.gz") for number in range(12)])
    world.everything_anew()
    return project


def listed(project="demo"):
    return json.loads(world.page(f"simple/{project}"))["versions"]


@pytest.mark.parametrize("version", ["0.1", "1.0", "2.5", "2.5.post1", "2.11", "10rc1", "1!0"])
def test_the_versions_of_a_large_project_are_not_all_asked_for_to_list_one_more(monkeypatch, version):
    project = large_project(monkeypatch)
    before = listed()
    monkeypatch.setattr(rows, "listed_versions", None)
    world.publish(project, version, f"demo-{version}-py3-none-any.whl")
    assert listed() == sorted({*before, version}, key=Version)
    monkeypatch.undo()
    assert world.everything() == world.everything_anew()


@pytest.mark.parametrize("verb", ["role", "yank", "archived"])
def test_what_leaves_the_versions_of_a_large_project_alone_does_not_ask_for_them(monkeypatch, verb):
    large_project(monkeypatch)
    before, user = listed(), make_user("somebody")
    page = world.page("simple/demo")
    monkeypatch.setattr(rows, "listed_versions", None)
    step("demo", user, verb, 0)
    assert world.page("simple/demo") != page
    assert listed() == before
    monkeypatch.undo()
    assert world.everything() == world.everything_anew()


def test_a_version_whose_files_were_all_deleted_is_listed_again_with_the_next(monkeypatch):
    project = large_project(monkeypatch)
    world.delete_file(project.files.get(filename="demo-2.3.tar.gz"))
    assert "2.3" not in listed()
    monkeypatch.setattr(rows, "listed_versions", None)
    world.publish(project, "2.3", "demo-2.3-py3-none-any.whl")
    assert listed().index("2.3") == listed().index("2.2") + 1


@pytest.mark.parametrize("tail", [b"", b"no deflated piece", deflate(b"]}"), deflate(b'],"versions":7}')])
def test_a_page_that_is_damaged_where_versions_stand_is_mended_with_the_next_upload(monkeypatch, tail):
    project = large_project(monkeypatch)
    Document.objects.filter(key="simple/demo").update(json_tail=tail)
    world.publish(project, "3", "demo-3.tar.gz")
    assert listed()[-2:] == ["2.11", "3"]
    assert len(listed()) == 14


def test_releases_are_found_by_the_bytes_of_their_version():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "projects_release")
    assert found["release_by_text"]["columns"] == ["project_id", "version"]


VERSIONS = ["1.0", "1.1rc1", "2!0.5", "10", "9.post1", "0.1.dev3"]
VERBS = ["publish"] * 5 + ["yank", "unyank", "hide", "show", "delete release", "delete file", "archived", "quarantined"]
VERBS += ["active", "role", "rename", "delete project", "mark", "withdraw"]
steps_to_take = st.lists(
    st.tuples(st.sampled_from(["a", "a", "b-c", "b0"]), st.sampled_from(VERBS), st.integers(0, 35)),
    min_size=10,
    max_size=25,
)


@settings(max_examples=20)
@given(steps_to_take)
def test_step_by_step_or_at_once_the_documents_are_the_same(steps):
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(sources, "FILES_IN_SEGMENT", 4)
        patch.setattr(sources, "PROJECTS_IN_SEGMENT", 2)
        user = make_user("somebody")
        for number in range(0, 36, 5):
            step("a", user, "publish", number)
        for name, verb, number in steps:
            step(name, user, verb, number)
        found = world.everything()
        found.setdefault("withheld", (0, "", b"", b"[]"))
        assert_sources_agree(["index", *found])
        assert found == world.everything_anew()
        transaction.set_rollback(True)


def assert_sources_agree(keys):
    documents = stored(keys)
    assert documents["index"].matches(sources.IndexSource())
    assert json.loads(world.page("withheld") or "[]") == rows.withheld_places()
    for row in map(rows.project, Project.objects.values_list("pk", flat=True)):
        assert documents[f"simple/{row.normalized_name}"].matches(sources.SimpleSource(row))


def step(name, user, verb, number):
    """Do *verb* to the project *name*, to the release or file that *number* chooses, if that is possible."""
    project = Project.objects.filter(normalized_name=name).first() or world.create(name)
    releases, files = list(project.releases.order_by("pk")), list(project.files.order_by("pk"))
    match verb:
        case "publish":
            publish(project, VERSIONS[number % 6], number // 6)
        case "delete file" if files:
            world.delete_file(files[number % len(files)])
        case "archived" | "quarantined" | "active" if verb != project.status:
            world.set_status(project, verb)
        case "role":
            world.set_role(project, user, ["Maintainer", ""][number % 2])
        case "rename":
            publish(project, "3", number, spelling=[str.upper, str.lower, str.title][number % 3](project.name))
        case "mark" | "withdraw":
            mark(project, number, withdrawn=world.DAWN if verb == "withdraw" else None)
        case "delete project" if number < 9:
            world.delete_project(project)
        case "yank" | "unyank" | "hide" | "show" | "delete release" if releases:
            change_release(releases[number % len(releases)], verb)


def publish(project, version, number, spelling=""):
    filename = f"{project.normalized_name.replace('-', '_')}-{version}-{number}-py3-none-any.whl"
    if not Filename.objects.filter(filename=filename).exists():  # a name is used once, whatever becomes of its file
        world.publish(project, version, filename, name=spelling)


def mark(project, number, **fields):
    """One of two vulnerabilities affects what came before some version, or, for the first one, nothing any more."""
    until = (((INTRODUCED, "0"), (FIXED, VERSIONS[number % 6])),) if number % 6 else ()
    report(project.pk, [Report(project.normalized_name, f"V-{number % 2}", ranges=until, **fields)])


def change_release(release, verb):
    match verb:
        case "yank":
            world.yank(release, "why <not>?")
        case "unyank":
            world.unyank(release)
        case "delete release":
            world.delete_release(release)
        case _ if release.quarantined != (verb == "hide"):
            world.quarantine_release(release, quarantined=verb == "hide")
