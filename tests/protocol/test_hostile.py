"""Clients that mean ill, over raw sockets: what they send is refused cheaply, and nobody else notices."""

import hashlib
import json
import re
import select
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from tests.faults.publishing import soon
from tests.protocol import wire
from tests.protocol.test_simple import SECURITY
from tests.protocol.test_uploads import FORM, chunked
from tests.servers import processes

from packhouse.dataplane import asgi, rsgi

SMUGGLED = b"GET /simple/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"


def exchange(url: str, data: bytes, timeout: float = wire.PATIENCE) -> bytes:
    """Everything that the server says to *data* until it closes the connection."""
    said = b""
    with wire.Connection(url, timeout) as connection:
        connection.try_send(data)
        try:
            while more := connection.socket.recv(1 << 16):
                said += more
        except ConnectionError:
            pass
    return said


def statuses(said: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"^HTTP/1\.[01] (\d{3})", said, re.MULTILINE)]


@contextmanager
def costs_at_most(index, seconds):
    """The server uses no more processor time than that in the block."""
    before = processes.processor_seconds(index.process.pid)
    yield
    assert processes.processor_seconds(index.process.pid) - before < seconds


def request(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([line, b"Host: h", b"Connection: close", *headers, b"", body])


POST = b"POST /legacy/ HTTP/1.1"
GET = b"GET /simple/ HTTP/1.1"
AMBIGUOUS = {
    "both lengths": request(POST, b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "both lengths, turned": request(
        POST, b"Transfer-Encoding: chunked", b"Content-Length: 60", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "two lengths": request(POST, b"Content-Length: 5", b"Content-Length: 60", body=b"abcde" + SMUGGLED),
    "a list of lengths": request(POST, b"Content-Length: 5, 5", body=b"abcde" + SMUGGLED),
    "a signed length": request(POST, b"Content-Length: +5", body=b"abcde" + SMUGGLED),
    "a negative length": request(POST, b"Content-Length: -5", body=SMUGGLED),
    "a length in hex": request(POST, b"Content-Length: 0x5", body=b"abcde" + SMUGGLED),
    "a length beyond all": request(POST, b"Content-Length: 18446744073709551617", body=b"a" + SMUGGLED),
    "an unknown coding": request(POST, b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "identity": request(POST, b"Transfer-Encoding: identity", body=SMUGGLED),
    "chunked, then not": request(POST, b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
    "two codings": request(
        POST, b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity", body=b"0\r\n\r\n" + SMUGGLED
    ),
    "a blank before the colon": request(POST, b"Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a vertical tab": request(POST, b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a folded header": request(POST, b"Transfer-Encoding:", b" chunked", body=b"0\r\n\r\n" + SMUGGLED),
    "a bare return": request(GET, b"X: a\rTransfer-Encoding: chunked"),
    "a zero byte": request(GET, b"X: a\0b"),
    "a header without a name": request(GET, b": a"),
    "a line without a colon": request(GET, b"nonsense"),
    "two hosts": request(GET, b"Host: evil.example"),
    "another host in the target": request(b"GET http://evil.example/simple/ HTTP/1.1"),
    "no host": b"GET /simple/ HTTP/1.1\r\nConnection: close\r\n\r\n",
    "an empty host": b"GET /simple/ HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n",
    "a host with a path": b"GET /simple/ HTTP/1.1\r\nHost: a/b\r\nConnection: close\r\n\r\n",
    "a host with markup": b"GET /simple/ HTTP/1.1\r\nHost: <b>\r\nConnection: close\r\n\r\n",
    "a host with an account": b"GET /simple/ HTTP/1.1\r\nHost: a@evil.example\r\nConnection: close\r\n\r\n",
    "a host that is no text": b"GET /simple/ HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
    "no version": b"GET /simple/\r\n\r\n",
    "a version to come": b"GET /simple/ HTTP/3.0\r\nHost: h\r\n\r\n",
    "HTTP/2 unasked": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a raw byte in the target": b"GET /simple/\xff/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "a blank in the target": b"GET /simple/ x HTTP/1.1\r\nHost: h\r\n\r\n",
    "nothing known": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 40 + b"\r\n\r\n",
}


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(index, data):
    assert statuses(exchange(index.url, data)) in ([400], [])


@pytest.mark.parametrize(
    "body",
    [
        b"0x1\r\na\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\na\r\n0\r\n\r\n",
        b"-1\r\na\r\n0\r\n\r\n",
        b"1\r\nabc\r\n0\r\n\r\n",
        b"1\na\n0\n\n",
        b"1;" + b"a" * 100_000 + b"\r\na\r\n0\r\n\r\n",
    ],
)
def test_chunks_that_are_none_end_the_connection(index, body):
    said = exchange(index.url, request(POST, b"Transfer-Encoding: chunked", body=body + SMUGGLED))
    assert statuses(said) in ([400], [])


def test_lines_that_end_in_a_line_feed_alone_are_one_request(index):
    said = exchange(index.url, GET + b"\nHost: h\nConnection: close\n\n" + SMUGGLED)
    assert statuses(said) in ([200], [400])


def test_requests_in_one_packet_are_answered_in_their_order(index):
    with wire.Connection(index.url) as connection:
        body = b"x" * 10
        connection.send(
            wire.head_of("POST", "/simple/", {"Content-Length": "10"})
            + body
            + wire.head_of("GET", "/simple/nobody/")
            + wire.head_of("HEAD", "/simple/")
            + wire.head_of("GET", "/_health/", {"Connection": "close"})
        )
        answers = [connection.answer(), connection.answer(), connection.answer(head=True), connection.answer()]
    assert [answer.status for answer in answers] == [405, 404, 200, 200]


def test_links_are_made_from_the_configuration_alone(index):
    answer = wire.ask(
        index.url, "/legacy/", Host="evil.example", X_Forwarded_Host="evil.example", X_Forwarded_Proto="https"
    )
    assert index.url.encode() in answer.body
    assert b"evil" not in answer.body


def test_what_a_client_says_of_its_address_is_not_believed(index):
    path = f"/simple/who-{time.monotonic_ns()}/"
    spoofed = dict.fromkeys(("X_Forwarded_For", "X_Real_IP", "Forwarded", "True_Client_IP", "Via"), "for=6.6.6.6")
    wire.ask(index.url, path, **spoofed)
    deadline = time.monotonic() + wire.PATIENCE
    while path not in index.printed() and time.monotonic() < deadline:
        time.sleep(0.05)
    line = next(line for line in index.printed().splitlines() if path in line)
    assert "6.6.6.6" not in line
    assert "127.0.0.1" in line


def test_what_a_proxy_adds_in_a_line_of_its_own_counts_and_not_the_line_that_the_client_sent(in_process):
    door = in_process(trusted_proxies=("127.0.0.0/8",)).door
    lines = [(b"x-forwarded-for", b"6.6.6.6"), (b"x-forwarded-for", b"198.51.100.1"), (b"forwarded", b"for=6.6.6.6")]
    about = {"http_version": "1.1", "method": "GET", "path": "/", "query_string": b"", "client": ("127.0.0.1", 1)}
    assert door._client(asgi._Scope(about | {"headers": lines})) == "198.51.100.1"


def test_a_head_that_is_too_large_is_refused(index):
    large = request(GET, b"X: " + b"a" * 100_000)
    many = request(GET, *(b"X-%d: a" % number for number in range(5000)))
    long = request(b"GET /" + b"a" * 100_000 + b" HTTP/1.1")
    for data in (large, many, long):
        assert set(statuses(exchange(index.url, data))) <= {400, 414, 431}


def test_a_body_that_is_too_long_is_refused_before_it_is_sent_or_while_it_comes(index):
    for length in (b"99999999999", b"9223372036854775808"):
        said = exchange(index.url, request(POST, b"Content-Length: " + length))
        assert statuses(said) in ([413], [400])
    said = exchange(index.url, request(POST, b"Content-Length: 99999999999"))
    assert statuses(said) == [413]
    assert b"x-content-type-options: nosniff" in said
    coming = chunked(b"x" * (12 * 1024**2), 256 * 1024)
    with wire.Connection(index.url) as connection:
        connection.try_send(request(POST, b"Transfer-Encoding: chunked") + coming)
        with suppress(wire.Closed):
            assert connection.answer().status == 413


def test_a_head_that_does_not_come_ends_the_connection(index):
    with wire.Connection(index.url) as silent, wire.Connection(index.url) as halting:
        halting.send(b"GET /simple/ HTTP/1.1\r\nHos")
        assert silent.is_closed()
        assert halting.is_closed()


def test_a_body_that_does_not_come_is_a_408(index):
    said = exchange(index.url, request(POST, b"Content-Length: 100", body=b"abc"))
    assert statuses(said) == [408]
    with wire.Connection(index.url) as connection:
        connection.send(request(POST, b"Content-Length: 100", body=b"abc"))
        connection.socket.shutdown(1)
        with suppress(wire.Closed):
            assert connection.answer().status == 400


def test_clients_that_trickle_hold_no_thread_and_are_cut_off(index):
    """Two threads answer for Django here; fifty uploads come in byte by byte."""
    with ExitStack() as stack:
        slow = [stack.enter_context(wire.Connection(index.url)) for _ in range(50)]
        for connection in slow:
            connection.send(request(POST, f"Content-Type: {FORM}".encode(), b"Content-Length: 100000"))
        meanwhile = 0
        for _ in range(10):
            for connection in slow:
                connection.try_send(b"-")
            for path in ("/legacy/", "/simple/", "/_ready/"):
                assert wire.ask(index.url, path).status == 200
            cut_off = select.select([connection.socket for connection in slow], [], [], 0.1)[0]
            meanwhile += not cut_off
        assert meanwhile
        assert {connection.answer().status for connection in slow} == {408}


def path_of(filled, name):
    blake = hashlib.blake2b(filled.files[name], digest_size=32).hexdigest()
    return f"/packages/{blake[:2]}/{blake[2:4]}/{blake[4:]}/{name}"


def test_clients_that_never_read_leave_the_others_alone(index, filled):
    name = "large-1.0-py3-none-any.whl"
    path = path_of(filled, name)
    with ExitStack() as stack:
        for _ in range(60):
            connection = stack.enter_context(wire.Connection(index.url))
            connection.socket.setsockopt(1, 8, 4096)
            connection.send(wire.head_of("GET", path))
        for _ in range(5):
            assert wire.ask(index.url, "/simple/").status == 200
            assert wire.ask(index.url, "/legacy/").status == 200
            assert wire.ask(index.url, path).body == filled.files[name]


def test_a_client_that_never_reads_is_cut_off(index, filled):
    name = "large-1.0-py3-none-any.whl"
    with wire.Connection(index.url) as connection:
        connection.socket.setsockopt(1, 8, 4096)
        connection.send(wire.head_of("GET", path_of(filled, name)) * 20)  # more than the kernel keeps for it
        assert soon(lambda: connected(index.url, connection), 60)
        assert soon(lambda: not connected(index.url, connection), 60)


def connected(url, connection):
    """Whether the server has this connection, in the kernel's table (proc(5))."""
    ends = [int(url.rpartition(":")[2]), connection.socket.getsockname()[1]]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = [row[1:3] for row in rows if row[3] == "01"]
    return ends in [[int(end.rpartition(":")[2], 16) for end in row] for row in established]


def test_thousands_of_connections_that_wait_keep_nobody_out(index, filled):
    with ExitStack() as crowd:
        for _ in range(2600):
            crowd.enter_context(wire.Connection(index.url))
        assert wire.ask(index.url, "/_health/").status == 200


def test_ten_thousand_ranges_cost_nothing(get, index):
    whole = get("/simple/demo-pkg/")
    for header in ("bytes=" + ",".join(["0-"] * 10_000), "bytes=" + "0" * 30_000 + "-1", "bytes" + " " * 30_000 + "=1"):
        with costs_at_most(index, 0.5):
            answers = [get("/simple/demo-pkg/", Range=header) for _ in range(3)]
        assert {(answer.status, answer.body) for answer in answers} == {(200, whole.body)}


def test_headers_full_of_anything_cost_nothing(get, index):
    for name in ("Accept", "Accept-Encoding", "If-None-Match", "If-Range", "User-Agent", "Cookie", "Range"):
        for value in (",".join(["a"] * 10_000), ";q=" * 9000, '"' * 30_000, "W/" * 10_000, "bytes=1-" * 3000):
            with costs_at_most(index, 0.5):
                answers = [get("/simple/demo-pkg/", **{name: value}) for _ in range(2)]
            assert {answer.status for answer in answers} <= {200, 206}


PIECES = [
    "%0d%0a",
    "%0a",
    "%0d",
    "%00",
    "%e2%80%a8",
    "%c4%8a",
    "%E5%98%8A%E5%98%8D",
    "%22",
    "%3cb%3e",
    "%09",
    "%20",
    "\\",
]
PLACES = [
    "/simple/demo-pkg?{}X-Evil:1",
    "/simple/Demo.Pkg/?a={}Set-Cookie:a=b",
    "/simple/{}/",
    "/simple/a{}b",
    "/packages/py3/d/demo-pkg/{}.whl",
    "/pypi/Demo.Pkg/json?{}X-Evil:1",
    "/pypi/demo-pkg/{}/json",
    "/pypi/Demo.Pkg/1.0{}/json",
    "/legacy?{}X-Evil:1",
    "/legacy/{}",
    "/{}",
]


@pytest.mark.parametrize("place", PLACES)
def test_nothing_that_is_reflected_adds_a_header(index, filled, place):
    known = {name for name, _ in wire.ask(index.url, place.format("")).headers}
    known |= {"content-length", "location", "allow"} | usual_names(index)
    with wire.Connection(index.url) as connection:
        for piece in PIECES:
            for text in (piece, piece * 3, f"a{piece}b"):
                connection.send(wire.head_of("GET", place.format(text)))
                answer = connection.answer()
                assert "x-evil" not in answer
                assert "set-cookie" not in answer
                assert answer.names <= known
                assert SECURITY.items() <= dict(answer.headers).items()


def usual_names(index) -> set[str]:
    """Header names of a usual answer of each plane."""
    found: set[str] = set()
    for path in ("/simple/", "/simple/nobody/", "/packages/x", "/pypi/nobody/json", "/nothing", "/simple"):
        found |= wire.ask(index.url, path).names
    return found


def test_every_answer_carries_the_security_headers(get, filled):
    asked = [
        ("/simple/", {}),
        ("/simple/", {"Range": "bytes=99999999-"}),
        ("/simple/demo-pkg/", {"If_None_Match": "*"}),
        ("/simple/Demo.Pkg/", {}),
        ("/simple/nobody/", {}),
        ("/simple/", {"method": "POST"}),
        ("/packages/x", {}),
        ("/packages/x", {"method": "OPTIONS"}),
        ("/packages/x", {"method": "PUT"}),
        ("/pypi/nobody/json", {}),
        ("/pypi/Demo.Pkg/json", {}),
        ("/pypi/demo-pkg/json", {"method": "DELETE"}),
        ("/legacy/", {}),
        ("/legacy/", {"method": "POST", "body": b"x"}),
        ("/legacy", {"method": "POST"}),
        ("/nothing-here", {}),
        ("/_health/", {}),
        ("/_ready/", {}),
        ("/", {"Host": "a b"}),
    ]
    for path, options in asked:
        answer = get(path, **options)
        assert SECURITY.items() <= dict(answer.headers).items(), (path, options)
        assert "content-security-policy" in answer, (path, options)
        assert "x-request-id" in answer, (path, options)


FLOODS = {
    "a million parts": b"--b\r\n\r\n" * 500_000,
    "returns only": b"--b\r\n" + b"\r" * 4_000_000,
    "one endless header": b"--b\r\nContent-Disposition: form-data; name=" + b"a" * 4_000_000,
    "parameters": b'--b\r\nContent-Disposition: form-data; name="a"' + b';a="\\"' * 500_000,
    "almost boundaries": b"--b\r\n\r\n" + b"\r\n--" * 1_000_000,
}


@pytest.mark.parametrize("body", FLOODS.values(), ids=FLOODS)
def test_a_flood_of_parts_is_refused(index, filled, body):
    kind = "multipart/form-data; boundary=b"
    with costs_at_most(index, 2):
        answer = wire.ask(index.url, "/legacy/", method="POST", body=body, Content_Type=kind, Accept="a/b")
    assert answer.status == 400


def test_a_boundary_of_a_megabyte_does_not_pass(index):
    said = exchange(index.url, request(POST, b"Content-Type: multipart/form-data; boundary=" + b"a" * 1_000_000))
    assert set(statuses(said)) <= {400, 431}


def test_more_requests_than_there_is_room_for_are_told_to_come_again(index):
    """Django's queue holds 66 requests here; simple pages need none of it."""
    with ExitStack() as stack:
        crowd = [stack.enter_context(wire.Connection(index.url)) for _ in range(400)]
        head = wire.head_of("GET", "/_ready/", {"Connection": "close"})
        for connection in crowd:
            connection.send(head)
        aside = wire.ask(index.url, "/simple/")
        answers = [connection.answer() for connection in crowd]
    assert aside.status == 200
    assert {answer.status for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status == 503 and not answer.body.startswith(b"{"):
            assert answer["Retry-After"] == "2"
            assert SECURITY.items() <= dict(answer.headers).items()
    assert wire.ask(index.url, "/_ready/").status == 200


def test_a_flood_of_misses_is_cheap(index):
    def miss(number: int) -> int:
        return wire.ask(index.url, f"/simple/none-{number}-{time.monotonic_ns()}/").status

    with costs_at_most(index, 3), ThreadPoolExecutor(4) as pool:
        missing = pool.map(miss, range(400))
        assert {wire.ask(index.url, "/simple/demo-pkg/").status for _ in range(20)} == {200}
        assert set(missing) == {404}


def test_a_failure_is_told_without_its_cause(in_process, monkeypatch):
    door = in_process()
    monkeypatch.setattr(rsgi, "answer", lambda *_: {}["secret"])
    failed = door.get("/simple/")
    assert (failed.status, failed.body) == (500, b"500 Internal Server Error")
    assert SECURITY.items() <= dict(failed.headers).items()


BOMB = '<?xml version="1.0"?><!DOCTYPE a [{}]><methodCall><methodName>&a9;</methodName></methodCall>'
BOMBS = {
    "laughs": BOMB.format(
        '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9)),
    ),
    "quadratic": BOMB.format(f'<!ENTITY a9 "{"a" * 50_000}">').replace("&a9;", "&a9;" * 10_000),
    "a file": BOMB.format('<!ENTITY a9 SYSTEM "file:///etc/passwd">'),
    "another machine": BOMB.format('<!ENTITY a9 SYSTEM "http://127.0.0.1:9/">'),
    "deep": "<methodCall>" + "<a>" * 200_000,
    "long": "<methodCall><methodName>" + "a" * 3_000_000 + "</methodName></methodCall>",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("path", ["/pypi", "/RPC2"])
def test_no_document_type_opens_anything_in_xml_rpc(index, path, bomb):
    with costs_at_most(index, 1):
        answer = wire.ask(index.url, path, method="POST", body=bomb.encode(), Content_Type="text/xml")
    assert answer.status in {200, 400, 413}
    assert b"root:" not in answer.body
    assert len(answer.body) < 3000
    assert answer.status != 200 or b"<fault>" in answer.body


def test_a_version_that_is_a_number_of_digits_is_no_work(get):
    answer = get("/pypi/demo-pkg/" + "9" * 200 + "/json")
    assert (answer.status, json.loads(answer.body)) == (404, {"message": "Not Found"})


def test_nothing_is_smuggled_past_a_proxy_that_reuses_its_connections(index, nginx_server):
    proxy = nginx_server(
        "location / { proxy_pass http://index; proxy_http_version 1.1; proxy_set_header Connection ''; "
        "proxy_set_header Host packages.example; proxy_request_buffering off; client_max_body_size 0; "
        "keepalive_timeout 0; }",
        http=f"upstream index {{ server {index.url.removeprefix('http://')}; keepalive 4; }}",
    )
    for number, data in enumerate(AMBIGUOUS.values()):
        said = exchange(proxy, data.replace(b"/simple/smuggled", b"/simple/smuggled-past"))
        assert len(statuses(said)) <= 1
        mark = wire.ask(proxy, f"/pypi/mark-{number}/json")
        assert (mark.status, mark.body) == (404, b'{"message": "Not Found"}')
    time.sleep(0.5)
    assert "/simple/smuggled" not in index.printed()
