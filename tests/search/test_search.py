"""Searching as people and programs do it, over a few projects."""

import json
import random
from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from tests.factories.projects import file_of, make_project, publish, release_of
from tests.queue.test_queue import work

from packhouse.base import clock
from packhouse.downloads.actions import record_downloads
from packhouse.projects import actions as projects
from packhouse.projects.models import Description, Project
from packhouse.queue.models import QueuedTask
from packhouse.schedule import SCHEDULE
from packhouse.search import actions, matching, ranking, sidebar, tasks, views
from packhouse.search.language import read
from packhouse.search.models import Entry, Facet
from packhouse.search.queries import Found, search
from packhouse.search.ranking import Candidate
from packhouse.throttle.limit import Limit

pytestmark = pytest.mark.django_db
YAML = {"import_name": ["yaml", "_yaml ; private"]}
DJANGO = {"classifier": ["Framework :: Django :: 5.2"], "license_expression": "MIT"}


def add(name, summary="", *, downloads=0, description="", wheel=True, age=0, requires_python=">=3.9", **metadata):
    """A project with one release, indexed."""
    project = make_project(name, created=clock.now() - timedelta(days=age))
    release = release_of(project, summary=summary, metadata=metadata, requires_python=requires_python)
    release.created = project.created
    release.save()
    if description:
        Description.objects.create(release=release, raw=description)
    filename = f"{project.normalized_name}-1.0" + ("-py3-none-any.whl" if wheel else ".tar.gz")
    file_of(project, filename, release=release, packagetype="bdist_wheel" if wheel else "sdist").save()
    actions.set_downloads({project.pk: downloads})
    actions.index_projects([project.pk])
    return project


def found(text, **more):
    return [entry.name for entry in search(read(text), **more).entries]


@pytest.fixture
def shelf():
    """What most tests search in."""
    add("PyYAML", "YAML parser and emitter for Python", downloads=900_000_000, **YAML)
    add("yamllint", "A linter for YAML files.", downloads=20_000_000)
    add("httpx", "The next generation HTTP client.", downloads=400_000_000)
    add("requests", "Python HTTP for Humans.", downloads=1_000_000_000, description="A client with sessions.")
    add("requests-toolbelt", "A utility belt for requests", downloads=60_000_000)
    add("django-cors-headers", "Handle CORS headers", downloads=30_000_000, wheel=False, **DJANGO)
    add("tomli", "A lil' TOML parser", downloads=200_000_000)
    add("unloved", "Parse HTTP and TOML with a client", age=400, requires_python=">=3.13")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("requests", "requests"),
        ("Requests", "requests"),
        ("reques", "requests"),
        ("yaml", "PyYAML"),
        ("import:yaml", "PyYAML"),
        ("pyyaml", "PyYAML"),
        ("django_cors_headers", "django-cors-headers"),
        ("djangocors", "django-cors-headers"),
        ("cors", "django-cors-headers"),
        ("parsing toml", "tomli"),
        ("http client", "httpx"),
        ("http*", "httpx"),
        ('"next generation"', "httpx"),
        ("http -humans -parse", "httpx"),
        ("sessions", "requests"),
        ("name:toolbelt", "requests-toolbelt"),
        ('classifier:"Framework :: Django"', "django-cors-headers"),
        ("license:MIT", "django-cors-headers"),
        ("requets", "requests"),
        ("rqeuests", "requests"),
        ("djagno-cors-haeders", "django-cors-headers"),
        ("htpx cleint", "httpx"),
    ],
)
def test_the_project_that_is_meant_comes_first(text, first):
    assert found(text)[0] == first


@pytest.mark.usefixtures("shelf")
def test_words_in_quotation_marks_count_where_they_stand_like_others():
    add("aaa-driver", "A driver", description="It is not a web framework, but a driver.", downloads=10)
    add("zzz-server", "A high-level web framework", downloads=10)
    add("web-framework", "Something else")
    assert found('"web framework"') == ["web-framework", "zzz-server", "aaa-driver"]


def test_what_nobody_has_is_not_found():
    assert found("kubernetes") == found("import:_yaml") == found('"client http"') == found("python:2.7") == []


@pytest.mark.usefixtures("shelf")
def test_a_misspelt_word_is_answered_and_the_correction_is_named():
    result = search(read("requets"))
    assert (result.suggestion, result.instead) == ("requests", True)
    add("requets", "not what you meant")
    result = search(read("requets"))
    assert (result.suggestion, result.instead) == ("requests", False)
    assert [entry.name for entry in result.entries] == ["requets", "requests"]


@pytest.mark.usefixtures("shelf")
def test_filters_narrow_and_are_counted(client):
    everything = search(read(""))
    assert everything.total == 8
    assert "unloved" not in found("python:3.12")
    assert "unloved" in found("python:3.13")
    assert "django-cors-headers" not in found("has:wheels")
    year_ago = (clock.now() - timedelta(days=365)).date()
    assert "unloved" not in found(f"since:{year_ago}")
    counts = client.get("/search/", headers={"Accept": "application/json"}).json()["facets"]
    assert counts["has"] == {"wheels": 7}
    assert counts["license"] == {"MIT": 1}
    assert counts["classifier"] == {"Framework": 1, "Framework :: Django": 1, "Framework :: Django :: 5.2": 1}
    assert (counts["python"]["3.12"], counts["python"]["3.13"]) == (7, 8)


def test_a_licence_is_one_filter_however_it_was_declared(client):
    add("new", license_expression="MIT")
    add("old", classifier=["License :: OSI Approved :: MIT License"])
    add("vague", classifier=["License :: OSI Approved :: BSD License"])
    facets = json.loads(client.get("/search/", headers={"Accept": "application/json"}).content)["facets"]
    assert facets["license"] == {"MIT": 2, "BSD License": 1}
    assert sorted(found("license:MIT")) == ["new", "old"]


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("most", [10_000, 3], ids=["few enough to sort", "too many"])
@pytest.mark.parametrize("order", ["-downloads", "-updated", "-created"])
def test_results_come_in_the_order_that_is_asked_for(client, monkeypatch, order, most):
    add("unloved-too", "Parse HTTP", age=-1)
    monkeypatch.setattr("packhouse.search.queries.MOST", most)
    answer = client.get(f"/search/?q=http&o={order}", headers={"Accept": "application/json"}).json()
    names = [result["name"] for result in answer["results"]]
    assert names[0] == ("requests" if order == "-downloads" else "unloved-too")
    if most > 3:
        assert names[-1] == ("unloved-too" if order == "-downloads" else "unloved")


def test_pages_follow_each_other_without_gap_or_double(monkeypatch):
    for number in range(45):
        add(f"tool-{number}", "A tool", downloads=number)
    monkeypatch.setattr("packhouse.search.queries._HEAD", {"exact": 3, "prefix": 3, "names": 4, "text": 5})
    pages = [found("tool", page=page) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [20, 20, 5]
    assert len({name for page in pages for name in page}) == 45
    assert pages == [found("tool", page=page) for page in (1, 2, 3)]


def test_more_than_can_be_counted_is_said(client, monkeypatch):
    for number in range(4):
        add(f"tool-{number}", "A tool", downloads=number)
    monkeypatch.setattr("packhouse.search.queries.MOST", 3)
    result = search(read("tool"))
    assert (result.total, result.more, len(result.entries)) == (3, True, 3)
    assert b"More than 10,000" in client.get("/search/?q=tool").content


def test_filters_of_very_many_are_counted_among_the_most_downloaded(client, monkeypatch):
    for number in range(6):
        add(f"tool-{number}", "A tool", downloads=100 * number, wheel=number != 4)
    actions.rebuild()
    exact = client.get("/search/?q=tool", headers={"Accept": "application/json"}).json()
    assert (exact["total"], exact["estimated"], exact["facets"]["has"]) == (6, False, {"wheels": 5})
    monkeypatch.setattr("packhouse.search.queries.SAMPLED", 2)
    about = client.get("/search/?q=tool", headers={"Accept": "application/json"}).json()
    assert (about["total"], about["estimated"], about["facets"]["has"]) == (6, True, {"wheels": 3})
    assert about["results"] == exact["results"]
    assert b"Numbers are estimates" in client.get("/search/?q=tool").content


@pytest.mark.parametrize(("among", "of", "shown"), [(7, 2000, 35), (333, 2000, 1700), (2000, 2000, 10_000)])
def test_an_estimate_has_two_digits(among, of, shown):
    pk = Facet.objects.create(kind="has", value="wheels").pk
    result = Found(read("tool"), total=10_000, sampled=of, facets=Counter({pk: among}))
    assert [facet.results for facet in sidebar.counted(result)] == [shown]


def test_the_best_come_first_though_most_are_not_looked_at_closely():
    chance = random.Random(4)
    words = ["http", "client", "server", "async", "tool", "data"]
    few = [
        Candidate(n, "-".join(chance.sample(words, 2)), chance.choice(words), " ".join(chance.sample(words, 3)), "", "",
                  int(10 ** chance.uniform(0, 9)), chance.random() < 0.1)
        for n in range(400)
    ]  # fmt: skip
    asked = matching.asked(read("http client"))
    every = ranking.ranked(few, asked)
    assert len(every) == 400
    assert ranking.ranked(few, asked, needed=20) == every[:20]
    assert ranking.ranked(few, asked, needed=500) == every


def test_the_index_follows_a_project_through_its_life(run_tasks):
    project = projects.create_project(name="Life", by=None)
    run_tasks()
    assert found("life") == []
    publish(project)
    run_tasks()
    assert found("life") == ["Life"]
    projects.set_status(by=None, project=Project.objects.get(), status=Project.Status.QUARANTINED, reason="malware")
    assert found("life") == []
    run_tasks()
    assert not Entry.objects.exists()
    projects.set_status(by=None, project=Project.objects.get(), status=Project.Status.ACTIVE, reason="")
    run_tasks()
    assert found("life") == ["Life"]
    projects.delete_project(by=None, project=Project.objects.get())
    assert found("life") == []
    run_tasks()
    assert not Entry.objects.exists()


@pytest.mark.usefixtures("shelf")
def test_a_rebuild_changes_nothing_but_repairs():
    before = list(Entry.objects.values())
    Entry.objects.filter(name="httpx").delete()
    Entry.objects.filter(name="requests").update(summary="wrong")
    assert actions.rebuild() == 8
    assert list(Entry.objects.values()) == before
    assert found("http client")[0] == "httpx"


def test_what_many_changes_ask_for_is_done_by_one_task():
    projects = [add(f"one-{number}") for number in range(3)]
    Entry.objects.all().delete()
    for project in [*projects, *projects]:
        tasks.index_project.enqueue(project.pk)
    with time_machine.travel(clock.now() + timedelta(seconds=2)):
        assert len(work()) == 1
    assert Entry.objects.count() == 3


def test_an_index_of_another_edition_is_made_anew_after_a_start(monkeypatch):
    tasks.rebuild_if_outdated()
    assert [task.name for task in QueuedTask.objects.all()] == ["packhouse.search.tasks.rebuild"]
    QueuedTask.objects.all().delete()
    actions.rebuild()
    tasks.rebuild_if_outdated()
    assert not QueuedTask.objects.exists()
    monkeypatch.setattr("packhouse.search.analysis.EDITION", 0)
    tasks.rebuild_if_outdated()
    assert QueuedTask.objects.count() == 1


def test_what_was_downloaded_in_the_last_weeks_counts_from_the_next_rebuild_on(shelf_of_tools):
    """From the front door's tally to the order of results, through the tasks that run by the clock."""
    first, second = shelf_of_tools
    assert found("tool") == ["one-tool", "two-tool"]
    yesterday = clock.now().date() - timedelta(days=1)
    agent = 'pip/25.1 {"installer":{"name":"pip","version":"25.1"},"python":"3.12.4"}'
    record_downloads({(second.files.get().path, agent): 5000}, yesterday)
    record_downloads({(first.files.get().path, agent): 9000}, yesterday - timedelta(days=40))
    tasks.rebuild.call()
    assert found("tool") == ["two-tool", "one-tool"]
    assert dict(Entry.objects.values_list("name", "downloads")) == {"one-tool": 0, "two-tool": 5000}
    assert any(entry.task is tasks.rebuild for entry in SCHEDULE)


def test_a_project_that_is_no_longer_downloaded_falls_back(shelf_of_tools):
    first, second = shelf_of_tools
    actions.set_downloads({second.pk: 7000})
    actions.replace_downloads({first.pk: 2})
    actions.rebuild()
    assert dict(Entry.objects.values_list("name", "downloads")) == {"one-tool": 2, "two-tool": 0}


@pytest.fixture
def shelf_of_tools():
    return add("one-tool", "A tool"), add("two-tool", "A tool")


def test_downloads_move_a_project():
    first, second = add("one-tool", "A tool"), add("two-tool", "A tool")
    assert found("tool") == ["one-tool", "two-tool"]
    actions.set_downloads({second.pk: 5_000_000, first.pk: 3})
    actions.rebuild()
    assert found("tool") == ["two-tool", "one-tool"]
    assert Entry.objects.count() == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        *(("q=" + "x" * 1001, 413), ("page=zero", 400), ("page=0", 400), ("page=2", 404), ("q=%00", 400)),
        ("o=nonsense", 200),
    ],
)
def test_what_cannot_be_answered_is_refused(client, query, status):
    assert client.get(f"/search/?{query}").status_code == status


def test_the_page_is_public_and_varies_by_kind(client):
    add("tool")
    page = client.get("/search/?q=tool&c=&page=1")
    assert "public" in page["Cache-Control"]
    assert "Accept" in page["Vary"]
    assert b'href="/project/tool/"' in page.content
    answer = client.get("/search/?q=tool", headers={"Accept": "application/json"})
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.content)["results"][0] | {"created": "", "updated": ""} == {
        "name": "tool",
        "normalized_name": "tool",
        "version": "1.0",
        "summary": "",
        "import_names": [],
        "created": "",
        "updated": "",
        "downloads": 0,
        "archived": False,
    }


def test_too_many_searches_are_refused(client, monkeypatch):
    monkeypatch.setattr(views, "SEARCHES", Limit("search.test", "1 per minute"))
    assert client.get("/search/").status_code == 200
    refused = client.get("/search/")
    assert (refused.status_code, refused.has_header("Retry-After")) == (429, True)


def test_a_search_that_takes_too_long_is_given_up(client, monkeypatch):
    for number in range(30):
        add(f"tool-{number}", "A tool")
    monkeypatch.setattr("packhouse.search.queries.TIME_LIMIT", 0.0)
    monkeypatch.setattr("packhouse.search.engines.sqlite._STEPS", 1)
    monkeypatch.setattr(views.GUARD, "failures", -100)
    answer = client.get("/search/?q=tool")
    assert (answer.status_code, answer.has_header("Retry-After")) == (503, True)


def test_what_is_typed_does_not_become_markup(client):
    page = client.get("/search/", {"q": "<b>&'"}).content
    assert b"<b>&" not in page
