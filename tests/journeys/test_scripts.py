"""Scripts and bots: XML-RPC by Python's own client, the JSON API as poetry and renovate read it, feeds."""

import json
import urllib.request
import xmlrpc.client
from email.utils import parsedate_to_datetime
from typing import Any

import feedparser
from tests.journeys.clients import Clients
from tests.journeys.conftest import Shop

from packhouse.specs.names import normalize

BOT = {"User-Agent": "RenovateBot/44.10.2 (https://github.com/renovatebot/renovate)"}
READ_BY_POETRY = """
import json, sys
from packaging.utils import canonicalize_name
from poetry.core.packages.dependency import Dependency
from poetry.repositories.pypi_repository import PyPiRepository
index = PyPiRepository(url=sys.argv[1], disable_cache=True)
newest = index.find_packages(Dependency("flask", "*"))[-1]
package = index.package("flask", newest.version)
print(json.dumps({
    "version": newest.version.text,
    "summary": package.description,
    "python": package.python_versions,
    "requires": sorted({dependency.name for dependency in package.requires}),
    "files": sorted(file["file"] for file in package.files),
}))
"""


def flask(shop: Shop) -> dict[str, Any]:
    """The document of flask, asked for and read as renovate does."""
    return read(f"{shop.index.url}/pypi/flask/json", **BOT, Accept="application/json")


def read(url: str, **headers: str) -> Any:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_poetry_reads_the_json_api(full_shop: Shop, client: Clients) -> None:
    done = client("poetry").run("python", "-c", READ_BY_POETRY, f"{full_shop.index.url}/")
    seen, said = json.loads(done.stdout.strip().splitlines()[-1]), flask(full_shop)
    latest = said["info"]["version"]
    assert (seen["version"], seen["summary"], seen["python"]) == (
        latest,
        said["info"]["summary"],
        said["info"]["requires_python"],
    )
    assert {"werkzeug", "jinja2", "click"} <= set(seen["requires"])
    assert seen["files"] == sorted(file["filename"] for file in said["releases"][latest])


def test_renovate_finds_releases_dates_links_and_yanks(full_shop: Shop) -> None:
    """Its datasource asks the JSON API where the registry's address ends in ``/pypi/``, else the simple API."""
    said = flask(full_shop)
    assert any("github.com" in url for url in said["info"]["project_urls"].values())
    stocked = {item.version for item in full_shop.stock if item.project == "flask"}
    assert stocked <= set(said["releases"])
    for files in said["releases"].values():
        for file in files:
            assert file["upload_time_iso_8601"].endswith("Z")
            assert isinstance(file["yanked"], bool)
            assert file["requires_python"] is None or file["requires_python"]
    simple = read(f"{full_shop.simple}flask/", **BOT, Accept="application/vnd.pypi.simple.v1+json")
    assert {file["filename"] for file in simple["files"]} == {
        file["filename"] for files in said["releases"].values() for file in files
    }


def test_pythons_own_client_of_xml_rpc(full_shop: Shop) -> None:
    with xmlrpc.client.ServerProxy(f"{full_shop.index.url}/pypi", allow_none=True) as index:
        last: Any = index.changelog_last_serial()
        projects: Any = index.list_packages_with_serial()
        changes: Any = index.changelog_since_serial(0)
        assert changes[-1][4] == last == max(projects.values())
        assert {normalize(item.project) for item in full_shop.stock} <= {normalize(name) for name in projects}
        assert index.package_roles("flask") == [["Owner", "ada"]]
        many = xmlrpc.client.MultiCall(index)
        many.changelog_last_serial()
        many.package_roles("flask")
        assert list(many()) == [last, [["Owner", "ada"]]]
        mine: Any = index.user_packages("ada")
        assert len(mine) == len(projects)


def test_a_feed_reader_follows_what_is_published(full_shop: Shop) -> None:
    url = f"{full_shop.index.url}/rss/project/flask/releases.xml"
    first = feedparser.parse(url)
    assert not first.bozo
    assert {entry.title for entry in first.entries} == {i.version for i in full_shop.stock if i.project == "flask"}
    assert all(parsedate_to_datetime(entry.published).tzinfo for entry in first.entries)
    assert feedparser.parse(url, etag=first.etag).status == 304
