"""How Fastly and Varnish are told, on the wire."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.servers import processes

from packhouse.base.values import PURGE
from packhouse.purge import ports

KEYS = [f"project/p{number}" for number in range(600)]


@contextmanager
def service(status: int = 200, body: bytes = b"{}", **headers: str) -> Iterator[tuple[int, list]]:
    """A server that answers everything alike; gives its port and the list of what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.command, self.path, dict(self.headers), json.loads(content or b"null")))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PURGE = answer

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def plug(settings):
    """``plug(url)`` plugs it in and gives the port."""

    def plug(url):
        settings.PACKHOUSE = replace(settings.PACKHOUSE, purge=PURGE.parse(url))
        return ports.plugged_in()

    return plug


def test_fastly_is_told_of_256_keys_a_request(plug):
    with service() as (port, asked):
        plug(f"fastly://token@SU1Z0isxPaozGVKXdv0eY?endpoint=http://127.0.0.1:{port}").purge(KEYS)
    assert [len(body["surrogate_keys"]) for _, _, _, body in asked] == [256, 256, 88]
    assert [key for _, _, _, body in asked for key in body["surrogate_keys"]] == KEYS
    for method, path, headers, _ in asked:
        assert (method, path) == ("POST", "/service/SU1Z0isxPaozGVKXdv0eY/purge")
        assert headers["Fastly-Key"] == "token"
        assert headers["Fastly-Soft-Purge"] == "1"
        assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("spelling", ["soft=0", "soft=false"])
def test_fastly_removes_pages_where_soft_purges_are_off(plug, spelling):
    with service() as (port, asked):
        plug(f"fastly://token@SVC?{spelling}&endpoint=http://127.0.0.1:{port}").purge(["project/a"])
    assert "Fastly-Soft-Purge" not in asked[0][2]


def test_fastly_forgets_everything_by_a_call_of_its_own(plug):
    with service() as (port, asked):
        plug(f"fastly://token@SVC?endpoint=http://127.0.0.1:{port}").purge([ports.EVERYTHING])
    assert [(method, path, body) for method, path, _, body in asked] == [("POST", "/service/SVC/purge_all", None)]


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 429, 500, 503])
def test_a_refusal_is_a_failure_and_nothing_is_followed(plug, status):
    with service() as (other, followed), service(status, Location=f"http://127.0.0.1:{other}/") as (port, asked):
        fastly = plug(f"fastly://token@SVC?endpoint=http://127.0.0.1:{port}")
        with pytest.raises(ports.Failed, match=str(status)) as failed:
            fastly.purge(KEYS)
        with pytest.raises(ports.Failed, match=str(status)):
            fastly.probe()
    assert "token" not in str(failed.value)
    assert len(asked) == 2
    assert followed == []


def test_what_does_not_answer_is_a_failure(plug):
    port = processes.free_port()
    for url in (f"varnish://127.0.0.1:{port}", f"fastly://token@SVC?endpoint=http://127.0.0.1:{port}"):
        with pytest.raises(ports.Failed, match="does not answer"):
            plug(url).purge(["project/a"])


def test_what_is_no_varnish_of_ours_is_a_failure(plug):
    with service() as (port, _), pytest.raises(ports.Failed):
        plug(f"varnish://127.0.0.1:{port}").probe()


def test_every_varnish_is_told_in_headers_that_it_can_take(plug):
    long = [f"project/{'x' * 180}{number}" for number in range(60)]
    with service(Packhouse_Purged="1") as (one, asked), service(Packhouse_Purged="1") as (two, also_asked):
        plug(f"varnish://:sesame@127.0.0.1:{one},127.0.0.1:{two}").purge(long)
    assert [headers["Packhouse-Soft-Purge"] for _, _, headers, _ in asked] == [
        headers["Packhouse-Soft-Purge"] for _, _, headers, _ in also_asked
    ]
    assert [key for _, _, headers, _ in asked for key in headers["Packhouse-Soft-Purge"].split()] == long
    assert all(len(headers["Packhouse-Soft-Purge"]) <= 4000 for _, _, headers, _ in asked)
    assert {headers["Packhouse-Purge-Secret"] for _, _, headers, _ in asked} == {"sesame"}
    assert {method for method, *_ in asked} == {"PURGE"}


def test_nobody_is_told_nothing(plug):
    nobody = plug("none://")
    assert nobody.purge(KEYS) is None
    assert "no cache" in nobody.probe()


@pytest.mark.parametrize(
    "url",
    [
        *("varnish://", "varnish://host/path", "varnish://host?x=1", "varnish://host:0", "varnish://host:99999"),
        *("varnish://host#x", "fastly://SVC", "fastly://token@a,b", "fastly://token@SVC?endpoint=ftp://x"),
        *("varnish://:a%22b@host", "varnish://:a%0ab@host", "varnish://host?soft=perhaps", "http://host", "none"),
    ],
)
def test_a_target_that_means_nothing_is_refused(url):
    with pytest.raises(ValueError, match=r".*"):
        PURGE.parse(url)
