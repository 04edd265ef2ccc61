"""Feeds from files, and what readers see of them."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.factories.projects import make_project, publish
from tests.factories.statements import statements
from tests.index import world
from tests.integrations.feeds import as_file, as_zip, record, until

from packhouse.base import clock
from packhouse.documents.models import Change
from packhouse.index import reconcile, startup
from packhouse.integrations import actions, osv
from packhouse.integrations.loading import load
from packhouse.integrations.models import Feed, Vulnerability
from packhouse.integrations.reports import Malformed
from packhouse.projects.models import JournalEntry, Project, Release

pytestmark = pytest.mark.django_db


@pytest.fixture
def sample():
    project = make_project("sample")
    for version in ("1.0", "1.1", "1.2rc1", "2.0"):
        publish(project, version)
    startup.make_ready()
    return project


def shown(version=""):
    """What the JSON API says of sample, or of one release of it."""
    found = world.page(f"release/sample/{version}" if version else "project/sample")
    return json.loads(found.replace(b"{,", b"{").replace(b",,", b","))["vulnerabilities"]


def ids(version=""):
    return [item["id"] for item in shown(version)]


def take(*records, **options):
    return load(as_file(list(records)), **options)


def agrees():
    return wrong_documents() == set()


def wrong_documents():
    """Those that ``reconcile --verify`` finds; the files of these tests have no blobs, which it finds as well."""
    return {(one.kind, one.subject) for one in reconcile.verify().findings if one.kind.startswith("document")}


def test_a_release_says_what_is_known_of_it_in_the_shape_of_the_json_api(sample):
    assert shown() == shown("1") == []
    take(record(ranges=[until("1.1")], withdrawn="2026-06-01T02:00:00.5+02:00"))
    assert shown("1") == [
        {
            "aliases": ["CVE-2026-1"],
            "details": "When a crate is *turned over*, its lid comes off.",
            "fixed_in": ["1.1"],
            "id": "GHSA-aaaa-bbbb-cccc",
            "link": "https://advisories.example/1",
            "source": "osv",
            "summary": "A lid comes off",
            "withdrawn": "2026-06-01T00:00:00Z",
        }
    ]
    assert shown("1.1") == shown("2") == shown() == []
    assert agrees()


def test_what_is_not_said_is_null_and_lists_are_lists(sample):
    bare = {"id": "X-1", "affected": [{"package": {"ecosystem": "PyPI", "name": "sample"}, "versions": ["2"]}]}
    take(bare)
    assert (
        shown()
        == shown("2")
        == [
            {
                **dict.fromkeys(("details", "link", "summary", "withdrawn")),
                "aliases": [],
                "fixed_in": [],
                "id": "X-1",
                "source": "osv",
            }
        ]
    )
    assert agrees()


@pytest.mark.parametrize(
    ("events", "affected"),
    [
        (until("2.0"), ["1", "1.1", "1.2rc1"]),
        (until("1.2"), ["1", "1.1", "1.2rc1"]),
        (until("2.0", introduced="1.1"), ["1.1", "1.2rc1"]),
        ([{"introduced": "1.2"}], ["2"]),
        ([{"introduced": "0"}], ["1", "1.1", "1.2rc1", "2"]),
        ([{"introduced": "0"}, {"last_affected": "1.1"}], ["1", "1.1"]),
        ([{"introduced": "0"}, {"limit": "1.1"}], ["1"]),
        ([{"introduced": "0"}, {"limit": "*"}, {"fixed": "1.1"}], ["1"]),
        ([{"fixed": "1.1"}, {"introduced": "2.0"}, {"introduced": "0"}], ["1", "2"]),
        ([{"introduced": "0"}, {"fixed": "1.1"}, {"introduced": "1.1"}], ["1", "1.1", "1.2rc1", "2"]),
        ([{"introduced": "1!0"}], []),
        ([{"introduced": "0"}, {"fixed": "0"}], []),
        ([{"introduced": "0"}, {"last_affected": "0"}, {"introduced": "2"}], ["2"]),
        ([{"introduced": "2.0.dev1"}, {"fixed": "2.0+local"}], ["2"]),
    ],
)
def test_a_range_affects_the_releases_that_lie_in_it_by_the_order_of_pep_440(sample, events, affected):
    take(record(ranges=[events]))
    assert [version for version in ("1", "1.1", "1.2rc1", "2") if ids(version)] == affected


def test_versions_by_name_and_ranges_add_up_and_names_of_no_release_are_passed_over(sample):
    take(record(versions=["1.0.0", "9.9", "not a version"], ranges=[until("3", introduced="2.0")]))
    assert [version for version in ("1", "1.1", "1.2rc1", "2") if ids(version)] == ["1", "2"]


def test_a_record_about_several_projects_says_of_each_what_is_fixed_there(sample):
    publish(make_project("Other.Name"), "5.0")
    both = record(ranges=[until("1.1")])
    both["affected"] += record(project="other_name", ranges=[until("6.0")])["affected"]
    both["affected"] += record(ranges=[until("2.1", introduced="2.0")])["affected"]
    take(both)
    assert shown("1")[0]["fixed_in"] == shown()[0]["fixed_in"] == ["1.1", "2.1"]
    found = json.loads(world.page("project/other-name"))["vulnerabilities"]
    assert [item["fixed_in"] for item in found] == [["6.0"]]
    assert agrees()


def test_the_same_once_more_changes_nothing(sample):
    take(record(ranges=[until("1.1")]), record("GHSA-2", versions=["2.0"]))
    before, marks = world.everything(), Change.objects.count()
    again = take(record(ranges=[until("1.1")]), record("GHSA-2", versions=["2.0"])).taken["sample"]
    assert (again.new, again.changed, again.removed, again.unchanged, again.releases) == ([], [], [], 2, 0)
    assert (world.everything(), Change.objects.count()) == (before, marks)


def test_serials_and_the_journal_stay_as_they_are(sample):
    before = (Project.objects.get().last_serial, JournalEntry.objects.count())
    take(record(ranges=[until("3")]))
    assert (Project.objects.get().last_serial, JournalEntry.objects.count()) == before


def test_what_a_record_says_anew_takes_the_place_of_what_it_said(sample):
    take(record(ranges=[until("1.1")]))
    take(record(ranges=[until("1.1")], summary="Two lids come off"))
    assert [item["summary"] for item in shown("1")] == ["Two lids come off"]
    changed = take(record(ranges=[until("3", introduced="2")])).taken["sample"]
    assert (changed.changed, changed.releases) == (["GHSA-aaaa-bbbb-cccc"], 2)
    assert (ids("1"), ids()) == ([], ["GHSA-aaaa-bbbb-cccc"])
    assert agrees()


def test_a_record_that_affects_nothing_any_more_is_removed(sample):
    take(record(ranges=[until("3")]), record("GHSA-2", ranges=[until("3")]))
    taken = take(record()).taken["sample"]
    assert (taken.removed, taken.releases) == (["GHSA-aaaa-bbbb-cccc"], 4)
    assert ids("1") == ids() == ["GHSA-2"]
    assert take(record()).taken["sample"].removed == []
    assert agrees()


def test_of_a_whole_list_what_it_names_no_longer_goes(sample):
    publish(make_project("other"), "1.0")
    take(record(versions=["1.0"]), record("GHSA-2", versions=["1.0"]), record("GHSA-3", "other", versions=["1.0"]))
    take(record("GHSA-4", versions=["1.0"]))
    assert ids("1") == ["GHSA-2", "GHSA-4", "GHSA-aaaa-bbbb-cccc"]
    taken = take(record("GHSA-2", versions=["1.0"]), whole=True).taken
    assert (taken["sample"].removed, taken["other"].removed) == (["GHSA-4", "GHSA-aaaa-bbbb-cccc"], ["GHSA-3"])
    assert ids("1") == ["GHSA-2"]
    assert agrees()


def test_lists_of_several_names_leave_each_other_alone(sample):
    take(record("ACME-1", versions=["1.0"]), record("GHSA-1", versions=["1.0"]), source="acme")
    take(record("GHSA-1", versions=["1.0"]), whole=True)
    assert [(one["id"], one["source"]) for one in shown("1")] == [
        ("ACME-1", "acme"),
        ("GHSA-1", "acme"),
        ("GHSA-1", "osv"),
    ]
    take(record("ACME-1", versions=["1.0"]), source="acme", whole=True)
    assert [(one["id"], one["source"]) for one in shown("1")] == [("ACME-1", "acme"), ("GHSA-1", "osv")]
    assert set(Feed.objects.values_list("source", flat=True)) == {"acme", "osv"}
    assert agrees()


def test_of_a_whole_list_that_cannot_all_be_read_nothing_goes(sample):
    take(record(versions=["1.0"]))
    loaded = take({"id": 7, "affected": record()["affected"]}, record("GHSA-2", versions=["1.0"]), whole=True)
    assert [str(problem) for _, problem in loaded.unreadable] == ["id: expected a text"]
    assert ids("1") == ["GHSA-2", "GHSA-aaaa-bbbb-cccc"]


def test_a_zip_holds_a_record_in_each_file(sample):
    members = {
        "GHSA-1.json": record("GHSA-1", versions=["1.0"]),
        "GHSA-2.json": record("GHSA-2", "unknown", versions=["1.0"]),
        "RUSTSEC-1.json": {"id": "RUSTSEC-1", "affected": [{"package": {"ecosystem": "crates.io", "name": "sample"}}]},
        "broken.json": b"{",
        "README": b"not a record",
    }
    loaded = load(as_zip(members))
    assert (loaded.records, loaded.unknown, loaded.elsewhere) == (4, 1, 1)
    assert [where for where, _ in loaded.unreadable] == ["broken.json"]
    assert ids("1") == ["GHSA-1"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"PK\x03\x04 no zip", b"[" * 100_000])
def test_what_is_no_list_at_all_is_refused_and_changes_nothing(content):
    import io

    with pytest.raises(Malformed):
        load(io.BytesIO(content))
    assert not Feed.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 201}, "id"),
        ({"id": "nul\0"}, "id"),
        ({"summary": ["a"]}, "summary"),
        ({"details": "\ud800"}, "details"),
        ({"aliases": "CVE-1"}, "aliases"),
        ({"aliases": [1]}, "aliases"),
        ({"withdrawn": "yesterday"}, "withdrawn"),
        ({"withdrawn": "2026-01-01T00:00:00"}, "withdrawn"),
        ({"affected": {}}, "affected"),
    ],
)
def test_a_member_that_cannot_be_used_is_named(changes, field):
    with pytest.raises(Malformed) as refused:
        osv.read(record(versions=["1.0"], **changes))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("affected", "field"),
    [
        ({"package": {"ecosystem": "PyPI", "name": 7}}, "affected[0].package.name"),
        ({"versions": "1.0"}, "affected[0].versions"),
        ({"ranges": {}}, "affected[0].ranges"),
        ({"ranges": [7]}, "affected[0].ranges[0]"),
        *(
            ({"ranges": [{"type": "ECOSYSTEM", "events": events}]}, "affected[0].ranges[0].events")
            for events in ([{"introduced": "x"}], [{"fixed": "1"}], ["1"], 7, [{"introduced": 1}], [{"since": "1"}])
        ),
    ],
)
def test_a_range_that_cannot_be_evaluated_is_named(affected, field):
    said = record()
    said["affected"][0].update(affected)
    with pytest.raises(Malformed) as refused:
        osv.read(said)
    assert refused.value.field == field


def test_where_versions_are_named_a_range_that_cannot_be_evaluated_does_no_harm(sample):
    take(record(versions=["1.0"], ranges=[[{"introduced": "0"}, {"fixed": "2.x"}]]))
    assert (ids("1"), ids("1.1")) == (["GHSA-aaaa-bbbb-cccc"], [])


def test_ranges_of_commits_and_addresses_that_are_none_are_passed_over(sample):
    said = record(versions=["1.0"], references=[{"type": "ADVISORY", "url": "javascript:alert(1)"}, {"url": 7}, 8])
    said["affected"][0]["ranges"] = [{"type": "GIT", "repo": "https://x.example", "events": [{"introduced": "0"}]}]
    take(said)
    assert [item["link"] for item in shown("1")] == [None]
    assert ids("1.1") == []


def test_a_new_release_in_a_range_is_marked_by_the_clock_and_costs_its_upload_nothing(sample):
    take(record(ranges=[until("3")]))
    with CaptureQueriesContext(connection) as asked:
        publish(sample, "2.1")
    assert not any("integrations" in text for text in statements(asked))
    assert ids("2.1") == ids() == []
    assert actions.mark_new_releases() == 1
    assert ids("2.1") == ids() == ["GHSA-aaaa-bbbb-cccc"]
    assert actions.mark_new_releases() == 0
    assert agrees()


def test_a_new_release_outside_of_every_range_is_looked_at_once(sample):
    take(record(ranges=[until("1.1")]))
    publish(sample, "3.0")
    marks = Change.objects.count()
    assert (actions.mark_new_releases(), actions.mark_new_releases(), Change.objects.count()) == (1, 0, marks)


def test_releases_of_projects_without_a_report_are_never_looked_at(sample, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert actions.mark_new_releases() == 0
    publish(make_project("other"), "1.0")
    take(record(project="other", versions=["1.0"]))
    assert actions.mark_new_releases() == 0
    assert set(Release.objects.filter(project=sample).values_list("vulnerabilities", flat=True)) == {None}


def test_a_release_that_the_clock_has_missed_is_marked_by_the_next_list(sample):
    take(record(ranges=[until("3")]))
    publish(sample, "2.1")
    Release.objects.filter(version="2.1").update(created=clock.now() - timedelta(days=2))
    assert actions.mark_new_releases() == 0
    assert take(record(ranges=[until("3")])).taken["sample"].releases == 1
    assert ids("2.1") == ["GHSA-aaaa-bbbb-cccc"]


def test_a_release_in_quarantine_keeps_its_mark_for_when_it_comes_back(sample):
    release = Release.objects.get(version="2.0")
    world.quarantine_release(release)
    take(record(versions=["2.0"]))
    assert world.page("release/sample/2") is None
    assert agrees()
    world.quarantine_release(release, quarantined=False)
    assert ids("2") == ids() == ["GHSA-aaaa-bbbb-cccc"]
    assert agrees()


def test_of_a_project_in_quarantine_nothing_is_shown(sample):
    world.set_status(sample, "quarantined")
    take(record(versions=["2.0"]))
    assert world.page("project/sample") is None
    assert agrees()
    world.set_status(sample, "active")
    assert ids() == ["GHSA-aaaa-bbbb-cccc"]


def test_further_files_and_yanks_keep_what_is_known(sample):
    take(record(versions=["2.0"]))
    publish(sample, "2.0", "sample-2.0-cp313-none-any.whl")
    assert ids("2") == ids() == ["GHSA-aaaa-bbbb-cccc"]
    world.yank(Release.objects.get(version="2.0"))
    assert (ids("2"), ids()) == (["GHSA-aaaa-bbbb-cccc"], [])
    assert agrees()


def test_with_a_project_goes_what_is_known_of_it(sample):
    take(record(versions=["2.0"]))
    world.delete_project(sample)
    assert not Vulnerability.objects.exists()
    assert agrees()


def test_one_that_is_removed_by_hand_is_shown_no_longer(sample):
    take(record(versions=["2.0"]), record("GHSA-2", versions=["2.0"]))
    assert actions.remove("GHSA-2", projects=[sample.pk]) == 1
    assert ids() == ["GHSA-aaaa-bbbb-cccc"]
    assert actions.remove(None, projects=[sample.pk]) == 1
    assert ids() == []
    assert agrees()


def test_a_report_of_a_project_that_is_gone_is_no_error(sample):
    found = osv.read(record(versions=["2.0"]))
    Project.objects.all().delete()
    assert actions.report(sample.pk, found).new == []


def test_marks_that_disagree_with_documents_are_found_and_mended(sample):
    take(record(versions=["2.0"]))
    Vulnerability.objects.update(summary="changed behind its back")
    assert wrong_documents() == {("document-differs", "project/sample"), ("document-differs", "release/sample/2")}
    reconcile.run()
    assert {item["summary"] for item in shown()} == {"changed behind its back"}
