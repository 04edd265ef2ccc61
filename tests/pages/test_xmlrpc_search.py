"""Searching by XML-RPC, as ``pip search`` does."""

import xmlrpc.client

import pytest
from tests.factories.projects import make_project, release_of

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


@pytest.mark.parametrize("spec", [{}, {"name": ""}, {"license": "MIT"}, "flask", {"name": "x" * 1001}])
def test_a_search_for_nothing_is_a_fault(call, spec):
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(spec)
    assert caught.value.faultCode == -32602
