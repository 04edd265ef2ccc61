"""Reports that are pushed, signed by whom the operator trusts."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from tests.factories.projects import make_project, publish
from tests.index import world
from tests.integrations.feeds import as_file, pushed, record, until
from tests.servers.processes import free_port

from packhouse.base import clock
from packhouse.integrations import signatures, views
from packhouse.integrations.loading import load
from packhouse.integrations.models import Feed, Vulnerability
from packhouse.integrations.tasks import take_reports
from packhouse.queue.models import QueuedTask
from packhouse.throttle.limit import Limit

pytestmark = pytest.mark.django_db
ADDRESS = "/_/vulnerabilities/osv/report"


def pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Reporter:
    """Has keys, the public ones in a file, and signs."""

    def __init__(self, folder):
        self.file = folder / "reporter keys.json"
        self.keys = {}
        self.old = set()
        self.key("now")

    def key(self, identifier):
        self.keys[identifier] = ec.generate_private_key(ec.SECP256R1())
        self.write()

    def write(self, **more):
        public = [
            {"key_identifier": name, "key": pem(key), "is_current": name not in self.old}
            for name, key in self.keys.items()
        ]
        self.file.write_text(json.dumps({"public_keys": public} | more))

    def signature(self, body, key="now"):
        return base64.b64encode(self.keys[key].sign(body, ec.ECDSA(SHA256()))).decode()

    def send(self, *reports, body=None, key="now", **headers):
        body = json.dumps(reports).encode() if body is None else body
        signed = {"VULN-PUBLIC-KEY-IDENTIFIER": key, "VULN-PUBLIC-KEY-SIGNATURE": self.signature(body, key)}
        return Client().generic("POST", ADDRESS, body, "application/json", headers=signed | headers)


@pytest.fixture
def reporter(tmp_path, settings):
    signatures._kept.clear()
    found = Reporter(tmp_path)
    settings.PACKHOUSE = replace(settings.PACKHOUSE, vulnerability_keys=found.file.as_uri())
    return found


@pytest.fixture
def sample():
    project = make_project("sample")
    for version in ("1.0", "1.1"):
        publish(project, version)
    return project


def work():
    """Run the tasks that were promised."""
    for task in QueuedTask.objects.filter(name__endswith="take_reports").order_by("pk"):
        take_reports.func(*task.arguments["args"])
        task.delete()


def shown(version):
    return json.loads(world.page(f"release/sample/{version}").replace(b"{,", b"{").replace(b",,", b","))[
        "vulnerabilities"
    ]


def test_a_signed_report_is_promised_and_taken_by_a_task(reporter, sample):
    answer = reporter.send(pushed(versions=["1.0", "9.9"]))
    assert (answer.status_code, answer.content) == (204, b"")
    assert shown("1") == []
    work()
    assert shown("1") == [
        {
            "aliases": ["CVE-2026-1"],
            "details": "When a crate is turned over, its lid comes off.",
            "fixed_in": ["1.1"],
            "id": "PYSEC-2026-1",
            "link": "https://advisories.example/1",
            "source": "osv",
            "summary": "A lid comes off",
            "withdrawn": None,
        }
    ]
    assert shown("1.1") == []
    assert Feed.objects.exists()


def test_a_report_takes_the_place_of_the_one_before_and_none_of_its_versions_stays(reporter, sample):
    reporter.send(pushed())
    reporter.send(pushed(versions=["1.1"], withdrawn="2026-06-01T00:00:00Z"))
    work()
    assert shown("1") == []
    assert [one["withdrawn"] for one in shown("1.1")] == ["2026-06-01T00:00:00Z"]


def test_a_report_without_versions_takes_itself_back(reporter, sample):
    reporter.send(pushed())
    reporter.send(pushed(versions=[]))
    work()
    assert shown("1") == []
    assert not Vulnerability.objects.exists()


def test_a_report_taken_twice_is_taken_once(reporter, sample):
    reporter.send(pushed(), pushed())
    reporter.send(pushed())
    work()
    assert len(shown("1")) == 1


def test_reports_of_projects_that_are_not_here_are_ignored(reporter, sample):
    assert reporter.send(pushed(project="elsewhere"), pushed("PYSEC-2", project="SAMPLE")).status_code == 204
    assert QueuedTask.objects.filter(name__endswith="take_reports").count() == 1
    work()
    assert [one["id"] for one in shown("1")] == ["PYSEC-2"]


def test_a_project_that_is_deleted_before_the_task_runs_is_no_error(reporter, sample):
    reporter.send(pushed())
    world.delete_project(sample)
    work()
    assert not Vulnerability.objects.exists()


def test_a_pushed_report_and_a_loaded_record_of_the_same_name_are_one(reporter, sample):
    reporter.send(pushed("PYSEC-1"))
    work()
    load(as_file(record("PYSEC-1", ranges=[until("2")])))
    assert [len(shown(version)) for version in ("1", "1.1")] == [1, 1]


def test_where_no_reporter_is_set_up_there_is_no_such_address(reporter, settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, vulnerability_keys="none://")
    assert reporter.send(pushed()).status_code == 404


@pytest.mark.parametrize("missing", ["VULN-PUBLIC-KEY-IDENTIFIER", "VULN-PUBLIC-KEY-SIGNATURE"])
def test_without_a_signature_there_is_no_such_address(reporter, missing):
    assert reporter.send(pushed(), **{missing: ""}).status_code == 404
    assert Client().get(ADDRESS).status_code == 405


def test_what_somebody_else_has_signed_or_changed_is_refused(reporter, sample):
    body = json.dumps([pushed()]).encode()
    good = reporter.signature(body)
    for signature in (reporter.signature(b"[]"), "no base64 at all", good[:-8], base64.b64encode(b"x").decode()):
        answer = reporter.send(body=body, **{"VULN-PUBLIC-KEY-SIGNATURE": signature})
        assert (answer.status_code, answer.content) == (400, b"the signature does not hold")
    assert reporter.send(body=body + b" ", **{"VULN-PUBLIC-KEY-SIGNATURE": good}).status_code == 400
    assert reporter.send(body=body, **{"VULN-PUBLIC-KEY-SIGNATURE": good}).status_code == 204


def test_another_key_is_refused_and_so_is_one_that_is_not_current_any_more(reporter, sample, time_machine):
    reporter.key("before")
    reporter.old.add("before")
    reporter.write()
    old = reporter.send(pushed(), key="before")
    assert (old.status_code, old.content) == (400, b"the key is not current any more")
    unknown = reporter.send(pushed(), **{"VULN-PUBLIC-KEY-IDENTIFIER": "mallory"})
    assert (unknown.status_code, unknown.content) == (400, b"the reporter has no such key")


def test_a_new_key_is_known_a_minute_later_and_a_former_one_forgotten_after_half_an_hour(reporter, time_machine):
    start = clock.now()
    time_machine.move_to(start, tick=False)
    assert reporter.send().status_code == 204
    reporter.key("next")
    assert reporter.send(key="next").status_code == 400
    time_machine.shift(61)
    assert reporter.send(key="next").status_code == 204
    reporter.old.add("now")
    reporter.write()
    assert reporter.send(key="now").status_code == 204
    time_machine.shift(30 * 60)
    assert reporter.send(key="now").status_code == 400


def test_keys_that_cannot_be_had_have_it_sent_again(reporter):
    for content in (
        "",
        "[]",
        '{"public_keys": 7}',
        '{"public_keys": [{"key_identifier": "now", "key": "x"}]}',
        "x" * 300_000,
    ):
        reporter.file.write_text(content)
        answer = reporter.send(pushed())
        assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    reporter.file.unlink()
    assert reporter.send(pushed()).status_code == 503


def test_a_key_of_another_kind_is_none(reporter):
    key = rsa.generate_private_key(65537, 2048)
    reporter.file.write_text(json.dumps({"public_keys": [{"key_identifier": "now", "key": pem(key)}]}))
    assert reporter.send(pushed()).status_code == 503


@contextmanager
def keys_served(content: bytes, status: int = 200, **headers: str) -> Iterator[tuple[str, list[str]]]:
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/keys", asked
    finally:
        server.shutdown()
        server.server_close()


def test_keys_are_fetched_once_for_many_reports_and_whatever_identifiers_are_tried(reporter, settings):
    with keys_served(reporter.file.read_bytes()) as (url, asked):
        settings.PACKHOUSE = replace(settings.PACKHOUSE, vulnerability_keys=url)
        assert [reporter.send().status_code for _ in range(3)] == [204] * 3
        for name in ("a", "b"):
            assert reporter.send(**{"VULN-PUBLIC-KEY-IDENTIFIER": name}).status_code == 400
        assert asked == ["/keys"]
        assert signatures.probe() == "1 keys"


def test_keys_are_not_looked_for_where_somebody_sends_one_to(reporter, settings):
    with keys_served(reporter.file.read_bytes()) as (good, asked), keys_served(b"", 302, Location=good) as (url, _):
        settings.PACKHOUSE = replace(settings.PACKHOUSE, vulnerability_keys=url)
        assert reporter.send().status_code == 503
        assert asked == []


def test_a_place_where_nobody_answers_has_it_sent_again(reporter, settings):
    settings.PACKHOUSE = replace(settings.PACKHOUSE, vulnerability_keys=f"http://127.0.0.1:{free_port()}/")
    assert reporter.send().status_code == 503


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", b"body: expected JSON"),
        (b"\xff", b"body: expected JSON"),
        (b"[" * 100_000, b"body: expected JSON"),
        (b"{}", b"body: expected a list of at most 1000 reports"),
        (b"[7]", b"[0]: expected an object"),
        (b"[{}]", b"[0].versions: expected a list of texts"),
    ],
)
def test_what_is_no_list_of_reports_is_told(reporter, body, said):
    answer = reporter.send(body=body)
    assert (answer.status_code, answer.content) == (400, said)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"project": None}, "project"),
        ({"project": ""}, "project"),
        ({"id": 7}, "id"),
        ({"id": "nul\0"}, "id"),
        ({"versions": None}, "versions"),
        ({"versions": [1]}, "versions"),
        ({"aliases": None}, "aliases"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "https://[broken"}, "link"),
        ({"summary": 7}, "summary"),
        ({"details": "\ud800"}, "details"),
        ({"withdrawn": "soon"}, "withdrawn"),
        ({"events": {"fixed": "1"}}, "events"),
        ({"events": [{"fixed": 1}]}, "events.fixed"),
    ],
)
def test_a_member_that_cannot_be_used_is_named_and_nothing_is_taken(reporter, sample, changes, field):
    answer = reporter.send(pushed("PYSEC-0"), pushed() | changes)
    assert answer.status_code == 400
    assert answer.content.decode().startswith(f"[1].{field}: expected ")
    work()
    assert shown("1") == []


def test_a_link_may_be_null_and_must_be_there(reporter, sample):
    without = pushed()
    del without["link"]
    assert reporter.send(without).content.startswith(b"[0].link: expected ")
    assert reporter.send(pushed(link=None)).status_code == 204


def test_versions_that_are_none_are_passed_over_in_what_is_fixed_too(reporter, sample):
    reporter.send(pushed(versions=["1.0", "soon"], events=[{"fixed": "2.x"}, {"fixed": "1.10"}, {"fixed": "1.9"}]))
    work()
    assert [one["fixed_in"] for one in shown("1")] == [["1.9", "1.10"]]


def test_what_is_too_large_is_refused_unread(reporter):
    answer = reporter.send(body=b" " * (views.LARGEST + 1))
    assert (answer.status_code, answer.content) == (413, b"body: expected at most 8388608 bytes")


def test_who_asks_too_often_waits(reporter, monkeypatch):
    monkeypatch.setattr(views, "REPORTS", Limit("vulnerabilities.client", "2 per minute"))
    assert [reporter.send().status_code for _ in range(3)] == [204, 204, 429]
    answer = reporter.send()
    assert 0 < int(answer["Retry-After"]) <= 120
