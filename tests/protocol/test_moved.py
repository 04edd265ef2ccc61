"""An index whose public URL has changed: ready at once, and no link leads to where it was."""

import json

import pytest
from tests.protocol import shelf, wire
from tests.servers import packhouse

HTML, JSON = "application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json"
NEW = "https://moved.example"
LINKED = (
    ("/simple/demo-pkg/", HTML),
    ("/simple/demo-pkg/", JSON),
    ("/simple/old-tool/", JSON),
    ("/pypi/demo-pkg/json", "application/json"),
    ("/pypi/demo-pkg/1.0/json", "application/json"),
)


@pytest.fixture
def home(tmp_path, new_database):
    """A filled index that is stopped: its home and database."""
    database = new_database("moved")
    with packhouse.running(tmp_path / "home", database=database) as index:
        shelf.fill(index)
    return index


def told(index, path, accept):
    answer = wire.ask(index.url, path, Accept=accept)
    assert answer.status == 200
    return answer.body.decode()


def test_all_links_are_new_before_the_task_has_made_them_and_after(home):
    new = {"PACKHOUSE_PUBLIC_URL": NEW}
    with packhouse.running(home.home, database=home.database, env=new, works=False) as index:
        asked = [told(index, path, accept) for path, accept in LINKED]
        assert wire.ask(index.url, "/simple/bad-thing/", Accept=JSON).status == 200
        assert wire.ask(index.url, "/simple/nothing-here/", Accept=JSON).status == 404
        names = [entry["name"] for entry in json.loads(told(index, "/simple/", JSON))["projects"]]
    assert {"Demo.Pkg", "old-tool", "held"} <= set(names)
    assert all(f"{NEW}/packages/" in text and home.url not in text for text in asked)
    packhouse.run_cli(home.home, "manage", "shell", "-c", DO, database=home.database, env=new)
    with packhouse.running(home.home, database=home.database, env=new, works=False) as index:
        assert [told(index, path, accept) for path, accept in LINKED] == asked
    found = packhouse.run_cli(home.home, "reconcile", database=home.database, env=new)
    assert "differs" not in found.stdout


DO = "from packhouse.index import tasks; tasks.make_documents_anew.call()"
