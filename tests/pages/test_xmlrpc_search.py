"""Searching by XML-RPC, as ``pip search`` does."""

import xmlrpc.client

import pytest
from tests.factories.projects import make_project, release_of

from packhouse.projects.models import Project, Release
from packhouse.search import actions

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client):
    """``call(spec, operator)``: the answer to ``search``."""
    for name, summary in (("tomli", "A lil' TOML parser"), ("flask", "A web framework"), ("flask-cors", "CORS & more")):
        project = make_project(name)
        release_of(project, "2.1", summary=summary).save()
        actions.index_projects([project.pk])

    def search(*parameters):
        body = xmlrpc.client.dumps(parameters, "search")
        answer = client.generic("POST", "/pypi", body, CONTENT_TYPE="text/xml")
        return xmlrpc.client.loads(b"".join(answer))[0][0]

    return search


def test_pip_s_search_gets_name_version_and_summary(call):
    hits = call({"name": ["cors"], "summary": ["cors"]}, "or")
    assert hits == [{"_pypi_ordering": 1, "name": "flask-cors", "version": "2.1", "summary": "CORS & more"}]


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({"name": "flask"}, ["flask", "flask-cors"]),
        ({"name": "framework"}, []),
        ({"summary": "parse toml"}, ["tomli"]),
        ({"name": ["toml", "parser"], "summary": ["toml", "parser"]}, ["tomli"]),
        ({"name": "nothing-like-this"}, []),
    ],
)
def test_all_words_are_found_best_first(call, spec, names):
    assert [hit["name"] for hit in call(spec)] == names


WEB, DJANGO, OLD = "Environment :: Web Environment", "Framework :: Django", "Framework :: Django :: 1.0"


@pytest.fixture
def browse(client):
    """``browse(*classifiers)``: the answer; zebra's older release carries what the latest does not."""
    carried = {"zebra": [WEB, DJANGO], "Ant": [WEB], "moth": [OLD], "bee": [WEB, DJANGO]}
    for name, classifiers in carried.items():
        project = make_project(name, status="quarantined" if name == "bee" else "active")
        release_of(project, "1.0", metadata={"classifier": [OLD]}).save()
        release_of(project, "2.0", metadata={"classifier": classifiers}).save()
        actions.index_projects([project.pk])

    def asked(*classifiers):
        body = xmlrpc.client.dumps((list(classifiers),), "browse", allow_none=True)
        answer = client.generic("POST", "/pypi", body, CONTENT_TYPE="text/xml")
        return xmlrpc.client.loads(b"".join(answer))[0][0]

    return asked


def test_browsing_lists_all_releases_that_carry_all_classifiers(browse):
    assert browse(WEB) == [["Ant", "2.0"], ["zebra", "2.0"]]
    assert browse(WEB, DJANGO, WEB) == [["zebra", "2.0"]]
    assert browse(OLD) == [["Ant", "1.0"], ["moth", "1.0"], ["moth", "2.0"], ["zebra", "1.0"]]
    assert browse(DJANGO) == [["zebra", "2.0"]]
    assert browse(WEB, OLD) == []
    assert browse("No such :: Classifier") == []


def test_browsing_leaves_out_what_is_in_quarantine(browse):
    Release.objects.filter(project__name="moth", version="1.0").update(quarantined=True)
    Project.objects.filter(name="zebra").update(status=Project.Status.QUARANTINED)
    assert browse(OLD) == [["Ant", "1.0"], ["moth", "2.0"]]


def test_a_long_answer_has_the_most_downloaded_projects(browse, monkeypatch):
    actions.set_downloads({project.pk: 10 * len(project.name) for project in Project.objects.all()})
    actions.rebuild()
    monkeypatch.setattr("packhouse.pages.xmlrpc.MOST_BROWSED", 3)
    assert browse(OLD) == [["moth", "1.0"], ["moth", "2.0"], ["zebra", "1.0"]]
    monkeypatch.setattr("packhouse.pages.xmlrpc.BROWSED", 1)
    assert browse(OLD) == [["zebra", "1.0"]]


def test_an_index_of_the_edition_before_is_browsed_by_the_latest_releases(browse, monkeypatch):
    """Until it has been made anew, which takes minutes."""
    monkeypatch.setattr("packhouse.search.entries._carried", lambda _: {})
    actions.rebuild()
    assert browse(OLD) == [["moth", "1.0"], ["moth", "2.0"]]


@pytest.mark.parametrize("classifiers", [[], [1], [WEB, None], [f"Topic :: {n}" for n in range(21)]])
def test_browsing_for_what_is_no_classifier_is_a_fault(browse, classifiers):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        browse(*classifiers)
    assert caught.value.faultCode == -32602


@pytest.mark.parametrize("spec", [{}, {"name": ""}, {"license": "MIT"}, "flask", {"name": "x" * 1001}])
def test_a_search_for_nothing_is_a_fault(call, spec):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(spec)
    assert caught.value.faultCode == -32602
