"""Connections over real sockets: order, framing, bodies, limits, ends."""

import asyncio

import pytest
from tests.server.harness import Application, Client, get, post, serve, statuses

CLOSE = "Connection: close"


async def echo(turn):
    """The path and the body, after a moment in a task."""
    body = await turn()
    await asyncio.sleep(0)
    turn.response_bytes(200, [("x-method", turn.method)], turn.path.encode() + b"|" + body)


def ask(answer, *packets: bytes, **limits: int) -> bytes:
    """What *answer* makes of *packets*."""
    said = []

    async def talk(client: Client):
        said.append(await client.say(*packets))

    serve(Application(answer), talk, **limits)
    return said[0]


def body_of(said: bytes) -> bytes:
    return said.partition(b"\r\n\r\n")[2]


def test_requests_in_one_packet_are_answered_in_their_order():
    paths = [f"/{number}" for number in range(2000)]
    said = ask(echo, b"".join(get(path) for path in paths) + get("/last", CLOSE))
    assert statuses(said) == [200] * 2001
    places = [said.find(f"\r\n\r\n{path}|".encode()) for path in [*paths, "/last"]]
    assert places == sorted(places)
    assert places[0] > 0


def test_a_request_may_come_in_small_pieces():
    whole = post(b"abc", CLOSE, path="/a%20b?c=d")
    said = ask(echo, *(whole[at : at + 5] for at in range(0, len(whole), 5)))
    assert (statuses(said), body_of(said)) == ([200], b"/a b|abc")


@pytest.mark.parametrize(
    ("version", "headers", "expected"),
    [
        ("1.1", [], 2),
        ("1.1", [CLOSE], 1),
        ("1.0", [], 1),
        ("1.0", ["Connection: keep-alive"], 2),
    ],
)
def test_a_connection_lives_on_as_its_version_says(version, headers, expected):
    said = ask(echo, get("/", *headers, version=version), get("/", CLOSE))
    assert len(statuses(said)) == expected
    assert (b"connection: keep-alive" in said) == (version == "1.0" and expected == 2)
    assert said.count(b"connection: close") == 1


def test_a_stream_is_chunked_or_ends_with_its_connection():
    async def stream(turn):
        transport = turn.response_stream(200, [])
        for piece in (b"a" * 300_000, b"", b"b"):
            await transport.send_bytes(piece)

    said = ask(stream, get("/", CLOSE))
    assert b"transfer-encoding: chunked" in said
    assert body_of(said) == b"493e0\r\n" + b"a" * 300_000 + b"\r\n1\r\nb\r\n0\r\n\r\n"
    old = ask(stream, get("/", version="1.0"))
    assert b"chunked" not in old
    assert body_of(old) == b"a" * 300_000 + b"b"
    assert body_of(ask(stream, get("/", CLOSE, method="HEAD"))) == b""


@pytest.mark.parametrize("headers", [[], [("content-length", "100")]])
def test_a_stream_that_fails_never_looks_whole(headers):
    async def fail(turn):
        transport = turn.response_stream(200, headers)
        await transport.send_bytes(b"some")
        raise ValueError("in the middle")

    said = ask(fail, get())
    assert not said.endswith(b"0\r\n\r\n")
    assert len(body_of(said)) < 100


def test_a_failure_before_the_answer_is_a_500():
    async def fail(_):
        raise ValueError("at once")

    assert statuses(ask(fail, get())) == [500]


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b"])
def test_a_header_that_would_end_its_line_is_not_sent(value):
    async def answer(turn):
        turn.response_bytes(200, [("location", value)], b"")

    said = ask(answer, get())
    assert statuses(said) == [500]
    assert b"x-evil" not in said.lower()


def test_head_tells_the_length_and_sends_nothing():
    said = ask(echo, get("/", CLOSE, method="HEAD"))
    assert b"content-length: 2\r\n" in said
    assert body_of(said) == b""


def test_continue_is_said_to_who_asks_and_only_when_the_body_is_wanted():
    head = get("/", "Content-Length: 3", "Expect: 100-continue", CLOSE, method="POST")
    assert statuses(ask(echo, head, b"abc")) == [100, 200]

    async def refuse(turn):
        turn.response_bytes(413, [], b"")

    assert statuses(ask(refuse, head)) == [413]


def test_a_small_body_that_nobody_reads_is_passed_over_and_a_large_one_ends_the_connection():
    async def refuse(turn):
        turn.response_bytes(403, [], b"")

    assert statuses(ask(refuse, post(b"x" * 1000), get("/", CLOSE))) == [403, 403]
    large = get("/", "Content-Length: 10000000", method="POST")
    said = ask(refuse, large, b"x" * 1000)
    assert statuses(said) == [403]
    assert b"connection: close" in said


def test_what_nobody_reads_is_left_with_the_client():
    async def talk(client: Client):
        _, writer = await client.connect()
        writer.write(get("/", "Content-Length: 50000000", method="POST") + b"x" * 30_000_000)
        await client.pause(100)
        assert len(writer.transport.get_extra_info("socket").getsockname()) > 0
        assert writer.transport.get_write_buffer_size() > 10_000_000
        assert application.turns[0].is_full
        going_on.set()
        while writer.transport.get_write_buffer_size():
            await client.pause(1)
        writer.close()

    async def answer(turn):
        await going_on.wait()
        await turn()

    application, going_on = Application(answer), asyncio.Event()
    serve(application, talk)


def test_a_client_that_goes_while_it_sends_is_noticed():
    noticed = []

    async def answer(turn):
        try:
            await turn()
        except ConnectionError:
            noticed.append(turn.path)
            raise

    async def talk(client: Client):
        for ending in ("Content-Length: 100", "Transfer-Encoding: chunked"):
            _, writer = await client.connect()
            writer.write(get("/half", ending, method="POST") + b"3\r\nabc\r\n")
            await client.pause()
            writer.close()
            await client.pause()

    serve(Application(answer), talk)
    assert noticed == ["/half", "/half"]


def test_chunks_of_nearly_nothing_but_overhead_are_refused():
    head = get("/", "Transfer-Encoding: chunked", method="POST")
    said = ask(echo, head, *[b"1;" + b"a" * 30_000 + b"\r\nx\r\n"] * 4)
    assert statuses(said) in ([], [400])


def test_trailers_are_no_headers():
    async def answer(turn):
        await turn()
        turn.response_bytes(200, [], (turn.headers.get("authorization") or "nobody").encode())

    body = b"1\r\na\r\n0\r\nAuthorization: me\r\n\r\n"
    said = ask(answer, get("/", "Transfer-Encoding: chunked", CLOSE, method="POST") + body)
    assert body_of(said) == b"nobody"


@pytest.mark.parametrize(
    "packets",
    [
        [get("/", "X: " + "a" * 40_000)],
        [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 10_000] * 5],
        [get("/", *(f"X-{number}: a" for number in range(101)))],
        [b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n"],
    ],
)
def test_a_head_that_is_too_large_is_refused(packets):
    assert statuses(ask(echo, *packets)) == [431]


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (get("/", "X: a\x01b"), "400 Bad Request: Invalid header value char"),
        (post(b"a", "Content-Length: 2"), "400 Bad Request: Duplicate Content-Length"),
        (get("/", version="0.9"), "400 Bad Request: HTTP/0.9 is not spoken here"),
        (
            b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
            "400 Bad Request: the target is neither a path nor an http address",
        ),
        (
            get("/", "X: " + "a" * 40_000),
            "431 Request Header Fields Too Large: at most 32768 bytes and 100 fields",
        ),
    ],
)
def test_who_is_refused_reads_why(packet, reason):
    assert body_of(ask(echo, packet)).decode() == reason


def test_who_says_nothing_or_half_of_it_is_cut_off_in_time():
    async def talk(client: Client):
        silent, halting, done = [await client.connect() for _ in range(3)]
        halting[1].write(b"GET / HTTP/1.1\r\nHo")
        done[1].write(get("/a"))
        await done[0].readuntil(b"/a|")
        client.pass_time(9)
        done[1].write(get("/b"))
        await done[0].readuntil(b"/b|")
        client.pass_time(5)
        assert await silent[0].read() == await halting[0].read() == b""
        done[1].write(get("/c", CLOSE))
        assert b"/c|" in await done[0].read()

    serve(Application(echo), talk, head_seconds=10)


def test_the_clock_does_not_run_while_an_answer_is_made():
    async def slow(turn):
        await going_on.wait()
        turn.response_bytes(200, [], b"at last")

    async def talk(client: Client):
        reader, writer = await client.connect()
        writer.write(get("/", CLOSE))
        await client.pause()
        client.pass_time(100)
        going_on.set()
        assert b"at last" in await reader.read()

    going_on = asyncio.Event()
    serve(Application(slow), talk, head_seconds=10)


def test_when_there_is_no_room_who_waits_makes_some_and_who_works_does_not():
    async def hold(turn):
        await going_on.wait()
        turn.response_bytes(200, [], b"done")

    async def talk(client: Client):
        idle, _ = await client.connect()
        first, second = await client.connect(), await client.connect()
        for _, writer in (first, second):
            writer.write(get("/", CLOSE))
        await client.pause()
        assert await idle.read() == b""
        refused, _ = await client.connect()
        said = await refused.read()
        assert statuses(said) == [503]
        assert b"retry-after: 2\r\n" in said
        going_on.set()
        for reader, _ in (first, second):
            assert (await reader.read()).endswith(b"done")

    going_on = asyncio.Event()
    serve(Application(hold), talk, connections=2)


def test_a_stop_ends_the_idle_at_once_and_lets_the_others_finish():
    async def hold(turn):
        await going_on.wait()
        turn.response_bytes(200, [], b"done")

    async def talk(client: Client):
        (idle, _), (reader, writer) = await client.connect(), await client.connect()
        writer.write(get())
        await client.pause()
        client.stop.set()
        assert await idle.read() == b""
        with pytest.raises(OSError):
            await client.connect()
        going_on.set()
        said = await reader.read()
        assert said.endswith(b"done")
        assert b"connection: close" in said

    going_on = asyncio.Event()
    serve(Application(hold), talk)


def test_another_protocol_is_not_taken_up():
    said = ask(echo, get("/", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"))
    assert (statuses(said), body_of(said)) == ([200], b"/|")
    assert statuses(ask(echo, b"CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n")) == [400]


@pytest.mark.parametrize(
    ("phrase", "line"),
    [
        ("The token is unknown.", "HTTP/1.1 403 The token is unknown."),
        ("", "HTTP/1.1 403 Forbidden"),
        ("Set\r\nX-Evil: 1", "HTTP/1.1 403 Forbidden"),
        ("Zürich", "HTTP/1.1 403 Forbidden"),
        ("x" * 201, "HTTP/1.1 403 Forbidden"),
    ],
)
def test_a_reason_phrase_is_one_short_line_of_ascii_or_the_standard_s(phrase, line):
    async def refuse(turn):
        turn.phrase = phrase
        turn.response_bytes(403, [], b"")

    said = ask(refuse, get("/", CLOSE))
    assert said.partition(b"\r\n")[0].decode() == line
    assert b"X-Evil" not in said
