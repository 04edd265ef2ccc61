"""XML-RPC as mirrors and old scripts speak it."""

import time
import xmlrpc.client
from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from tests.factories.accounts import make_user
from tests.factories.projects import make_project

from packhouse.index import xmlrpc_methods
from packhouse.projects.models import JournalEntry, Project, Role
from packhouse.throttle.limit import Limit

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 2, 12, 0, 0, 999, tzinfo=UTC)


class Index:
    """A client of the endpoint; ``index.method(…)`` calls a method."""

    def __init__(self, client):
        self.client = client

    def post(self, body, path="/pypi", content_type="text/xml"):
        response = self.client.generic("POST", path, body, CONTENT_TYPE=content_type)
        response.body = b"".join(response) if response.streaming else response.content
        return response

    def __getattr__(self, method):
        return lambda *parameters: self.call(method, *parameters)

    def call(self, method, *parameters, **where):
        response = self.post(xmlrpc.client.dumps(parameters, method, allow_none=True), **where)
        assert (response.status_code, response["Content-Type"]) == (200, "text/xml")
        return xmlrpc.client.loads(response.body)[0][0]

    def fault(self, method, *parameters):
        with pytest.raises(xmlrpc.client.Fault) as caught:
            self.call(method, *parameters)
        return caught.value.faultCode, caught.value.faultString


@pytest.fixture
def index(client):
    return Index(client)


def note(name="demo", version=None, action="create"):
    return JournalEntry.objects.create(name=name, version=version, action=action, created=NOON).pk


@pytest.mark.parametrize("path", ["/pypi", "/pypi/", "/RPC2", "/RPC2/"])
def test_the_newest_serial_is_told_at_every_endpoint(index, path):
    assert index.call("changelog_last_serial", path=path, content_type="text/xml; charset=utf-8") == 0
    serial = note()
    assert index.call("changelog_last_serial", path=path) == serial


def test_changes_come_in_order_after_a_serial(index):
    first = note()
    second = note(version="1.0", action="add source file démo-1.0<&>\x01\ufffe.tar.gz")
    moment = int(NOON.timestamp())
    action = "add source file d&#233;mo-1.0<&>&#65534;.tar.gz"
    assert index.changelog_since_serial(0) == [
        ["demo", None, moment, "create", first],
        ["demo", "1.0", moment, action, second],
    ]
    assert [change[4] for change in index.changelog_since_serial(first)] == [second]
    assert index.changelog_since_serial(second) == []
    assert index.changelog_since_serial(2**31 - 1) == []


def test_changes_are_cut_at_the_limit(index, monkeypatch):
    monkeypatch.setattr(xmlrpc_methods, "MOST_CHANGES", 6)
    monkeypatch.setattr(xmlrpc_methods, "_ROWS_AT_ONCE", 2)
    serials = [note() for _ in range(7)]
    assert [change[4] for change in index.changelog_since_serial(0)] == serials[:6]
    assert [change[4] for change in index.changelog_since_serial(serials[3])] == serials[4:]


def test_all_projects_are_listed_with_their_serials(index, monkeypatch):
    monkeypatch.setattr(xmlrpc_methods, "_ROWS_AT_ONCE", 2)
    for number, name in enumerate(["Demo.Pkg", "other", "third", "fourth"]):
        make_project(name, last_serial=number, status="quarantined" if number == 1 else "active")
    Project.objects.filter(name="third").update(last_serial=2**31)
    assert index.list_packages_with_serial() == {"Demo.Pkg": 0, "other": 1, "third": 2**31, "fourth": 3}


def test_roles_are_told_owners_first(index):
    project = make_project("Demo.Pkg", owner=make_user("zoe"))
    Role.objects.create(project=project, user=make_user("Abe"), name="Maintainer")
    assert index.package_roles("demo_pkg") == [["Owner", "zoe"], ["Maintainer", "Abe"]]
    assert index.package_roles("unknown") == []
    assert index.user_packages("ABE") == [["Maintainer", "Demo.Pkg"]]
    assert index.user_packages("unknown") == []


@pytest.mark.parametrize(
    ("method", "parameters", "exception"),
    [
        ("list_packages", [], "RuntimeError"),
        ("package_releases", ["demo"], "RuntimeError"),
        ("release_urls", ["demo", "1"], "RuntimeError"),
        ("release_data", ["demo", "1"], "RuntimeError"),
        ("package_data", ["demo", "1"], "RuntimeError"),
        ("package_urls", ["demo", "1"], "RuntimeError"),
        ("top_packages", [], "RuntimeError"),
        ("changelog", [1, True], "ValueError"),
    ],
)
def test_methods_that_are_no_more_say_so(index, method, parameters, exception):
    code, text = index.fault(method, *parameters)
    assert code == -32500
    assert text.startswith(f"{exception}: ")


def test_many_calls_in_one_have_each_its_value_or_its_fault(index):
    serial = note(version="1.0")
    calls = [
        ("changelog_last_serial", []),
        ("changelog_since_serial", ["1"]),
        ("release_urls", ["demo", "1"]),
        ("no_such_method", []),
        ("system.multicall", [[]]),
        ("changelog_since_serial", [0]),
    ]
    values = call_many(index, [{"methodName": name, "params": parameters} for name, parameters in calls])
    assert values[0] == [serial]
    assert [value.get("faultCode") for value in values[1:5]] == [-32602, -32500, -32601, -32602]
    assert values[5][0][0][:2] == ["demo", "1.0"]
    assert call_many(index, []) == []


def call_many(index, calls):
    return index.call("system.multicall", calls)


@pytest.mark.parametrize("call", ["x", 1, {}, {"methodName": 1}, {"methodName": "browse", "params": {}}, []])
def test_what_is_no_call_among_many_is_a_fault_of_its_own(index, call):
    good = {"methodName": "changelog_last_serial", "params": []}
    first, second = call_many(index, [call, good])
    assert first["faultCode"] == -32602
    assert second == [0]


def test_many_calls_are_charged_one_by_one(index, monkeypatch):
    monkeypatch.setattr("packhouse.index.views.CALLS", Limit("xmlrpc.client", "4 per hour"))
    call = {"methodName": "changelog_last_serial", "params": []}
    values = call_many(index, [call] * 5)
    assert values[:3] == [[0]] * 3
    assert all(value["faultString"].startswith("HTTPTooManyRequests: ") for value in values[3:])
    assert index.fault("changelog_last_serial")[1].startswith("HTTPTooManyRequests: ")


def test_many_calls_are_bounded_in_number_and_in_what_they_say(index, monkeypatch):
    call = {"methodName": "list_packages_with_serial", "params": []}
    for name in ("one", "two", "three"):
        make_project(name)
    assert index.fault("system.multicall", [call] * 101)[0] == -32602
    assert len(call_many(index, [call] * 100)) == 100
    monkeypatch.setattr(xmlrpc_methods, "MOST_BYTES", 300)
    values = call_many(index, [call] * 4)
    assert set(values[0][0]) == {"one", "two", "three"}
    assert {value["faultString"] for value in values[2:]} == {
        "ValueError: The answer is too long. Call this method by itself."
    }
    assert index.fault("system.multicall", "x")[0] == -32602


@pytest.mark.parametrize(
    ("method", "parameters", "code", "text"),
    [
        ("no_such_method", [], -32601, "server error; requested method not found"),
        ("changelog_since_serial", [], -32602, "client error; serial: missing"),
        ("changelog_since_serial", ["1"], -32602, "client error; serial: expected int, not str"),
        ("changelog_since_serial", [True], -32602, "client error; serial: expected int, not bool"),
        ("changelog_since_serial", [None], -32602, "client error; serial: expected int, not NoneType"),
        ("changelog_last_serial", [1], -32602, "client error; argument 1: unexpected"),
        ("release_data", [1], -32602, "client error; version: missing; package_name: expected str, not int"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(index, method, parameters, code, text):
    assert index.fault(method, *parameters) == (code, text)


BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)
CALL = "<methodCall><methodName>package_roles</methodName><params><param>{}</param></params></methodCall>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no XML",
        b"<methodCall>",
        b"<methodCall></methodCall>",
        b"<methodResponse><params/></methodResponse>",
        BOMB + "]>" + CALL.format("<value>&j;</value>"),
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + CALL.format("<value>x</value>"),
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + CALL.format("<value>&x;</value>"),
        CALL.format("<value><int>x</int></value>"),
        CALL.format(f"<value><int>{'9' * 5000}</int></value>"),
        CALL.format("<value><struct><member><value>1</value></member></struct></value>"),
        CALL.format("<value><base64>\u00e4</base64></value>"),
        CALL.format(f"<value>{'x' * 1024 * 1024}</value>"),
    ],
)
def test_what_is_no_call_is_a_parse_error_at_once(index, body):
    began = time.process_time()
    response = index.post(body)
    spent = time.process_time() - began
    assert response.status_code == 200
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(response.body)
    assert caught.value.faultCode == -32700
    assert b"root" not in response.body
    assert spent < 1


def test_deep_nesting_is_read_without_recursion(index):
    depth = 10_000
    body = CALL.format("<value><array><data>" * depth + "</data></array></value>" * depth)
    with pytest.raises(xmlrpc.client.Fault, match="expected str, not list"):
        xmlrpc.client.loads(index.post(body).body)


def test_other_kinds_of_requests_are_not_for_here(index, client):
    assert index.post(b"x", content_type="application/xml").status_code == 404
    assert client.get("/RPC2").status_code == 404
    with pytest.raises(xmlrpc.client.Fault) as caught:
        xmlrpc.client.loads(
            b"".join(client.get("/RPC2", headers={"content-type": "text/xml"}, CONTENT_TYPE="text/xml"))
        )
    assert caught.value.faultCode == -32500


def test_calls_are_counted_for_each_client(index):
    body = xmlrpc.client.dumps((), "changelog_last_serial")
    first = index.post(body)
    assert first["RateLimit-Policy"] == '"xmlrpc.client";q=3600;w=3600;pk=:ip:'
    assert first["RateLimit"].startswith('"xmlrpc.client";r=3599;')


def test_too_many_calls_are_a_fault(index, monkeypatch):
    monkeypatch.setattr("packhouse.index.views.CALLS", Limit("xmlrpc.client", "1 per hour"))
    index.changelog_last_serial()
    code, text = index.fault("changelog_last_serial")
    assert code == -32500
    assert text.startswith("HTTPTooManyRequests: ")
    assert "Limit may reset in" in text


def test_no_error_of_ours_is_told(index, monkeypatch):
    def broken():
        raise OSError("secret")

    monkeypatch.setitem(xmlrpc_methods.METHODS, "broken", xmlrpc_methods.Method(broken, {}, 0))
    assert index.fault("broken") == (-32500, "application error")


def test_an_outage_is_no_fault_of_the_call(client, monkeypatch):
    def away():
        raise OperationalError("server closed the connection")

    monkeypatch.setitem(xmlrpc_methods.METHODS, "away", xmlrpc_methods.Method(away, {}, 0))
    answer = client.post("/pypi", xmlrpc.client.dumps((), "away"), content_type="text/xml")
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
