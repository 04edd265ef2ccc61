"""What the pages of a project say of vulnerabilities."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.factories.projects import make_project
from tests.integrations.feeds import as_file, record, until
from tests.pages import shelves

from packhouse.integrations import actions
from packhouse.integrations.loading import load
from packhouse.projects.models import Project
from packhouse.purge.models import Waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project("sample")
    for version in ("1.0", "1.1"):
        shelves.publish(project, version)
    return project


def text(path, language="en"):
    answer = Client().get(f"/project/sample/{path}", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.content.decode()


def take(*records):
    return load(as_file(list(records)))


def test_without_any_list_nothing_is_said_of_vulnerabilities(project):
    assert "Known vulnerabilities" not in text("security/")
    assert "known vulnerabilit" not in text("")


def test_a_list_that_names_nothing_here_is_not_taken_for_a_proof(project):
    take(record(project="elsewhere", versions=["1.0"]))
    shown = text("security/")
    assert "Known vulnerabilities" in shown
    assert "That does not prove that there is none." in shown


def test_what_affects_the_release_stands_on_its_pages(project):
    take(record(ranges=[until("1.1")]))
    warning = '1 known vulnerability affects this release.</strong> <a href="/project/sample/1.0/security/">'
    assert warning in text("1.0/")
    shown = text("1.0/security/")
    assert 'href="https://advisories.example/1" rel="nofollow"><bdi>GHSA-aaaa-bbbb-cccc</bdi>' in shown
    for said in ("CVE-2026-1", "A lid comes off", "Fixed in:", '<bdi class="mono">1.1</bdi>', "OSV"):
        assert said in shown
    assert "That does not prove" not in shown


def test_other_releases_say_nothing_of_it(project):
    take(record(ranges=[until("1.1")]))
    for path in ("", "1.1/", "1.1/files/"):
        assert "known vulnerabilit" not in text(path)
    assert "GHSA" not in text("security/")


def test_the_history_marks_the_releases_that_are_affected(project):
    take(record(ranges=[until("1.1")]), record("GHSA-2", versions=["1.1"], withdrawn="2026-06-01T00:00:00Z"))
    rows = text("releases/").split("<tr>")
    assert ["Vulnerable" in row for row in rows if "/1.1/" in row or "/1.0/" in row] == [False, True]


def test_what_was_withdrawn_stands_apart_and_warns_nobody(project):
    take(record(versions=["1.1"], withdrawn="2026-06-01T00:00:00Z"))
    assert "known vulnerabilit" not in text("")
    shown = text("security/")
    assert shown.index("That does not prove") < shown.index("Withdrawn") < shown.index("GHSA-aaaa-bbbb-cccc")


def test_numbers_are_said_as_the_language_has_them(project):
    take(*(record(f"GHSA-{number}", versions=["1.1"]) for number in range(3)))
    assert "3 known vulnerabilities affect this release." in text("")
    assert "3 bekannte Schwachstellen betreffen diese Veröffentlichung." in text("", "de")


def test_very_many_are_left_to_the_json(project, monkeypatch):
    take(*(record(f"GHSA-{number:03}", versions=["1.1"]) for number in range(202)))
    shown = text("security/")
    assert shown.count("<bdi>GHSA-") == 200
    assert '<a href="/pypi/sample/1.1/json">' in shown


def test_what_a_list_says_is_text_and_no_markup(project):
    evil = "<script>alert(1)</script>"
    take(record(versions=["1.1"], id=f"X{evil}", summary=evil, aliases=[evil]))
    assert evil not in text("security/")
    assert text("security/").count("&lt;script&gt;alert(1)") == 3


def test_a_page_of_a_project_in_quarantine_warns_of_that_alone(project):
    take(record(versions=["1.1"]))
    Project.objects.update(status=Project.Status.QUARANTINED)
    assert "known vulnerabilit" not in text("")


def test_a_release_without_a_mark_costs_its_page_no_question(project):
    take(record(versions=["9.9"]))
    with CaptureQueriesContext(
        connection,
    ) as asked:
        text("")
    assert not any("integrations" in query["sql"] for query in asked)


def test_a_change_has_the_cache_in_front_forget_the_project_and_the_first_list_all_pages(project, settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, purge="varnish://:secret@localhost:6081")
    take(record(versions=["1.1"]))
    assert set(Waiting.objects.values_list("key", flat=True)) == {"project/sample", "all-html"}
    Waiting.objects.all().delete()
    take(record(versions=["1.1"]))
    take(record("GHSA-2", "elsewhere", versions=["1.1"]))
    assert not Waiting.objects.exists()
    actions.remove("GHSA-aaaa-bbbb-cccc", projects=[project.pk])
    assert set(Waiting.objects.values_list("key", flat=True)) == {"project/sample"}


@pytest.mark.parametrize(("valid", "withdrawn", "more"), [(150, 100, False), (201, 0, True), (1, 201, True)])
def test_only_what_does_not_fit_is_said_to_be_more(project, valid, withdrawn, more):
    told = [record(f"GHSA-{number}", versions=["1.1"]) for number in range(valid)]
    gone = [record(f"GONE-{number}", versions=["1.1"], withdrawn="2026-06-01T00:00:00Z") for number in range(withdrawn)]
    take(*told, *gone)
    assert ("There are more: all of them, as JSON" in text("security/")) == more
