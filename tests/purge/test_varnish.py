"""A real Varnish in front of a live index: what it keeps, for whom, until when, and that nobody can poison it."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from tests.builders import make_wheel
from tests.protocol import shelf, wire
from tests.servers import packhouse, processes, varnish

SECRET = "a-secret-of-the-cache"
V1_JSON = "application/vnd.pypi.simple.v1+json"
PIP = f"{V1_JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
HIDDEN = {"surrogate-key", "surrogate-control", "age", "set-cookie", "via", "xkey", "x-varnish"}
PATIENCE = 30.0


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again; a purge follows the commit by a task of the queue."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline


@dataclass(frozen=True)
class Front:
    """A Varnish at ``url`` before the index ``behind``; ``token`` publishes."""

    url: str
    behind: packhouse.Running
    token: str

    def get(self, path: str, **request: Any) -> wire.Answer:
        return wire.ask(self.url, path, **request)

    def publish(self, name: str, version: str) -> None:
        shelf.send(self.url, self.token, make_wheel(name, version), name=name, version=version)

    def purge(self, key: str, secret: str = SECRET) -> wire.Answer:
        headers = {"Packhouse-Soft-Purge": key, "Packhouse-Purge-Secret": secret}
        return wire.ask(self.url, "/", method="PURGE", **headers)

    def kept(self, path: str, **headers: str) -> wire.Answer:
        """The answer out of the cache, when somebody has just asked in the same way."""
        return self._hit(lambda: self.get(path, **headers), path, headers)

    def shared(self, path: str, first: dict[str, str], then: dict[str, str]) -> wire.Answer:
        """The answer to *then* out of the cache, in which there is only what was asked for with the headers *first*."""

        def ask_first() -> None:
            self.purge("everything")
            self.get(path, **first)

        return self._hit(ask_first, path, then)

    def _hit(self, before: Callable[[], Any], path: str, headers: dict[str, str]) -> wire.Answer:
        """A page that changed a moment ago is purged again after seconds, which may be in between: so three tries."""
        for _ in range(3):
            before()
            answer = self.get(path, **headers)
            if answer["Cache-Status"] == "varnish; hit":
                return answer
        raise AssertionError(f"{path} with {headers} is not kept: {answer.headers}")


@pytest.fixture(scope="module")
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    varnish.require()
    home: Path = tmp_path_factory.mktemp("behind") / "home"
    home.mkdir()
    port = processes.free_port()
    url, database = f"http://127.0.0.1:{port}", None
    if request.config.getoption("--database") == "postgresql":
        database = request.getfixturevalue("postgres_server").create_database("behind")
    (home / "packhouse.toml").write_text(
        f'purge = "varnish://:{SECRET}@127.0.0.1:{port}"\ntrusted_proxies = "127.0.0.1"\n'
    )
    with packhouse.running(home, database=database, env={"PACKHOUSE_PUBLIC_URL": url}) as behind:
        vcl = behind.run_cli("vcl", "--backend", behind.url.removeprefix("http://")).stdout
        with varnish.running(vcl, port=port):
            yield Front(url, behind, shelf.fill(replace(behind, url=url)).token)


def test_pages_documents_and_files_come_out_of_the_cache(front):
    page = json.loads(front.get("/simple/demo-pkg/", Accept=V1_JSON).body)
    file = page["files"][0]["url"]
    assert file.startswith(front.url)
    paths = ("/", "/project/Demo.Pkg/", "/simple/demo-pkg/", "/simple/", "/pypi/demo-pkg/json", "/rss/updates.xml")
    for path in (*paths, "/help/", file.removeprefix(front.url)):
        answer = front.kept(path)
        assert answer.status == 200
        assert not answer.names & HIDDEN
    assert front.kept("/simple/demo-pkg/")["Cache-Control"] == "max-age=600, public"


def test_a_publish_is_seen_through_the_cache_and_so_is_a_deletion(front):
    paths = ("/simple/demo-pkg/", "/project/Demo.Pkg/", "/pypi/demo-pkg/json", "/rss/updates.xml", "/")
    for path in paths:
        front.kept(path)
    assert b"7.1" not in front.get("/project/Demo.Pkg/").body
    front.publish("Demo.Pkg", "7.1")
    for path in paths:
        until(lambda path=path: b"7.1" in front.get(path).body)
        assert b"7.1" in front.kept(path).body


def test_a_file_is_asked_for_again_when_its_project_has_changed_and_need_not_be_sent_again(front):
    page = json.loads(front.get("/simple/demo-pkg/", Accept=V1_JSON).body)
    path = page["files"][0]["url"].removeprefix(front.url)
    kept = front.kept(path)
    assert int(front.purge("project/demo-pkg")["Packhouse-Purged"]) > 0
    again = front.get(path)
    assert (again.status, again.body) == (200, kept.body)
    assert again["Cache-Status"] != "varnish; hit"
    assert front.kept(path).body == kept.body


def test_a_file_in_quarantine_comes_out_of_the_cache_no_more(front):
    front.publish("suspect", "1.0")
    page = json.loads(front.get("/simple/suspect/", Accept=V1_JSON).body)
    path = page["files"][0]["url"].removeprefix(front.url)
    kept = front.kept(path)
    for status, found in (("quarantined", 403), ("active", 200)):
        shelf.run(replace(front.behind, url=front.url), "tests.protocol.status", "suspect", status)
        until(lambda found=found: front.get(path).status == found)
        answers = [front.get(path) for _ in range(3)]
        assert {answer.status for answer in answers} == {found}
    assert answers[-1].body == kept.body


def test_clients_that_ask_in_different_ways_share_few_variants(front):
    as_json = front.kept("/simple/demo-pkg/", Accept=PIP)
    assert as_json["Content-Type"] == V1_JSON
    other = PIP.replace("0.1", "0.2")
    assert front.shared("/simple/demo-pkg/", {"Accept": PIP}, {"Accept": other}).body == as_json.body
    html = front.kept("/simple/demo-pkg/", Accept=BROWSER)
    assert html["Content-Type"].startswith("text/html")
    assert front.get("/simple/demo-pkg/", Accept="*/*").body == html.body
    tie = front.get("/simple/demo-pkg/", Accept=f"text/html, {V1_JSON}")
    assert tie["Content-Type"].startswith("text/html")
    assert tie["Cache-Status"] == "varnish; fwd=bypass"
    assert front.get("/simple/demo-pkg/?format=" + V1_JSON).body == as_json.body


def test_provenance_comes_out_of_the_cache_until_none_is_served(front):
    path = "/integrity/signed/1.0/signed-1.0-py3-none-any.whl/provenance"
    kept = front.kept(path)
    for accept in ("*/*", "application/*", kept["Content-Type"]):
        assert front.shared(path, {}, {"Accept": accept}).body == kept.body
    assert front.kept(path, Accept="application/json")["Content-Type"] == "application/json"
    unusual = front.get(path, Accept="text/html")
    assert (unusual.status, unusual["Cache-Status"]) == (406, "varnish; fwd=bypass")
    flag = "from packhouse.flags.actions import set_flag; set_flag(name='disable-pep740', enabled={})"
    for enabled, found in ((True, 403), (False, 200)):
        front.behind.run_cli("manage", "shell", "--no-imports", "-c", flag.format(enabled))
        until(lambda found=found: front.get(path).status == found)
    assert front.kept(path).body == kept.body


def test_a_reader_who_has_the_page_gets_a_304_from_the_cache(front):
    known = front.kept("/simple/demo-pkg/", Accept=PIP)["ETag"]
    again = front.shared("/simple/demo-pkg/", {"Accept": PIP}, {"Accept": PIP, "If_None_Match": known})
    assert (again.status, again.body) == (304, b"")


def test_languages_are_kept_apart_whether_chosen_by_cookie_or_asked_for(front):
    english, german = (front.kept("/help/", Accept_Language=language) for language in ("en-GB,en;q=0.9", "de-AT,en"))
    assert (english["Content-Language"], german["Content-Language"]) == ("en", "de")
    cookie = {"Cookie": "session=x; locale=de", "Accept_Language": "en"}
    assert front.shared("/help/", {"Accept_Language": "de-AT,en"}, cookie).body == german.body
    assert front.get("/help/", Accept_Language="en-GB,en;q=0.9").body == english.body
    assert front.get("/help/", Cookie="locale=xx", Accept_Language="fr").body == english.body


def test_a_cache_is_purged_by_those_who_may(front):
    for secret in ("", "wrong", SECRET + "x"):
        assert front.purge("everything", secret).status == 403
    assert front.kept("/help/").status == 200
    purged = front.purge("all-html")
    assert int(purged["Packhouse-Purged"]) > 0
    assert front.get("/help/")["Cache-Status"] != "varnish; hit"
    front.kept("/help/")
    assert front.behind.run_cli("purge", "--everything").returncode == 0
    assert front.get("/help/")["Cache-Status"] != "varnish; hit"


def test_check_tells_whether_the_cache_can_be_purged(front):
    shown = front.behind.run_cli("check").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("purge")]
    assert "can be purged" in line
    assert SECRET not in shown


def test_no_byte_of_one_visitor_reaches_another(front):
    """ada and bob, signed in, and a stranger ask for everything in turn, each before the others once."""
    visitors = json.loads(shelf.run(front.behind, "tests.purge.people")) | {"stranger": "theme=auto"}
    shared = ("/", "/help/", "/project/Demo.Pkg/", "/user/marker-of-ada/", "/search/?q=demo", "/simple/demo-pkg/")
    personal = ("/_personal/", "/manage/projects/", "/manage/account/", "/theme.css", "/account/login/")
    front.purge("everything")
    for first in range(3):
        order = [*list(visitors.items())[first:], *list(visitors.items())[:first]]
        for path in shared:
            answers = [front.get(path, Cookie=cookies) for _, cookies in order]
            assert len({answer.body for answer in answers}) == 1, path
            assert not any("set-cookie" in answer for answer in answers)
        for path in personal:
            for name, cookies in order:
                answer = front.get(path, Cookie=cookies)
                assert answer["Cache-Status"] == "varnish; fwd=bypass", path
                shown = {other for other in visitors if f"marker-of-{other}".encode() in answer.body}
                assert shown <= {name}, path
                assert path != "/_personal/" or name == "stranger" or shown == {name}
    assert front.kept("/help/").status == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/help/", {"X_Forwarded_Host": "evil.example"}),
        ("/help/", {"X_Forwarded_Proto": "gopher", "X_Forwarded_Port": "6666"}),
        ("/help/", {"Forwarded": "host=evil.example;proto=gopher"}),
        ("/help/", {"X_HTTP_Method_Override": "DELETE", "X_Method_Override": "POST"}),
        ("/help/", {"X_Original_URL": "/manage/", "X_Rewrite_URL": "/manage/"}),
        ("/help/", {"Accept": "application/json"}),
        ("/help/", {"Accept_Language": "de;q=0, <script>"}),
        ("/help/", {"Packhouse_Language": "de"}),
        ("/help/", {"Cookie": "locale=evil; session=evil; theme=dark"}),
        ("/help/", {"Authorization": "Basic ZXZpbDpldmls"}),
        ("/help/", {"Range": "bytes=0-3"}),
        ("/help/", {"Packhouse_Soft_Purge": "all-html", "Packhouse_Purge": "all-html"}),
        ("/simple/demo-pkg/?format=evil", {}),
        ("/simple/demo-pkg/?x=1&format=application/vnd.pypi.simple.v1%2Bjson", {}),
        ("/simple/demo-pkg/", {"Accept": "application/vnd.pypi.simple.v1+json;q=0, evil/*"}),
        ("/rss/updates.xml?evil=1", {}),
        ("/pypi/demo-pkg/json?evil=1", {"Accept": "text/html"}),
    ],
)
def test_nobody_can_put_something_into_the_page_of_others(front, path, headers):
    plain = path.partition("?")[0]
    front.purge("everything")
    first = front.get(path, **headers)
    assert b"evil" not in first.body
    fresh = front.behind.url
    expected = wire.ask(fresh, plain)
    assert expected.status == 200
    for _ in range(2):
        answer = front.get(plain)
        assert (answer.status, answer.body, answer["Content-Type"]) == (200, expected.body, expected["Content-Type"])


def test_a_head_and_a_part_are_of_the_same_page(front):
    whole = front.kept("/simple/demo-pkg/")
    head = front.get("/simple/demo-pkg/", method="HEAD")
    assert (head.status, head.body, head["ETag"]) == (200, b"", whole["ETag"])
    part = front.get("/simple/demo-pkg/", Range="bytes=0-8")
    assert (part.status, part.body) == (206, whole.body[:9])
    for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
        assert front.get("/simple/demo-pkg/", method=method).status == 405
    assert front.get("/simple/demo-pkg/").body == whole.body


def test_what_was_kept_is_shown_while_the_index_is_away(front):
    kept = {path: front.kept(path).body for path in ("/simple/demo-pkg/", "/project/Demo.Pkg/", "/pypi/demo-pkg/json")}
    front.purge("everything")
    front.behind.stop()
    for path, body in kept.items():
        assert front.get(path, timeout=60).body == body
    assert front.get("/manage/projects/", timeout=60).status == 503
