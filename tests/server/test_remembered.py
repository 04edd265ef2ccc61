"""Requests that are known again by their bytes: only those that were one whole request, and never inside another."""

from types import SimpleNamespace

from tests.server.harness import Client, get, post, serve, statuses


class Remembering:
    """Answers at once with how often it had to read, and remembers everything that it may."""

    def __init__(self) -> None:
        self.read = 0
        self.kept = {}

    def answer_now(self, turn) -> bool:
        self.read += 1
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n"
        turn.send(head, b"", b"read%2d" % self.read)
        turn.ready = head
        return True

    def remember(self, packet, ready):
        self.kept[packet] = ready

    def recall(self, packet, connection) -> bool:
        if packet not in self.kept:
            return False
        connection.send(self.kept[packet], b"", b"recall")
        return True

    async def __rsgi__(self, scope, proto):
        proto.response_bytes(200, [], b"body:" + await proto())


def bodies(said: bytes) -> list[bytes]:
    return [part.partition(b"\r\n\r\n")[2] for part in said.split(b"HTTP/1.1 ")[1:]]


def conversation(*packets: bytes) -> SimpleNamespace:
    application = Remembering()
    said = []

    async def talk(client: Client):
        said.append(await client.say(*packets, get("/end", "Connection: close")))

    serve(application, talk)
    assert set(statuses(said[0])) == {200}
    return SimpleNamespace(bodies=bodies(said[0])[:-1], kept=list(application.kept))


def test_the_same_bytes_are_answered_without_being_read():
    found = conversation(get("/a"), get("/a"), get("/b"), get("/a"))
    assert found.bodies == [b"read 1", b"recall", b"read 2", b"recall"]


def test_two_requests_in_one_packet_are_not_remembered_as_one():
    two = get("/a") + get("/b")
    found = conversation(two, two)
    assert found.bodies == [b"read 1", b"read 2", b"read 3", b"read 4"]
    assert found.kept == []


def test_a_request_in_pieces_and_one_that_ends_its_connection_are_not_remembered():
    whole = get("/a")
    assert conversation(whole[:9], whole[9:]).kept == []
    assert conversation(get("/a", "Connection: close")).kept == []


def test_a_body_that_looks_like_a_remembered_request_is_a_body():
    known = get("/a")
    head = post(known, path="/upload")[: -len(known)]
    found = conversation(known, head, known, known)
    assert found.bodies == [b"read 1", b"body:" + known, b"recall"]


def test_a_head_that_ends_in_a_remembered_request_is_one_request():
    known = get("/a")
    found = conversation(known, b"GET /c HTTP/1.1\r\nHost: h\r\nX: ", known)
    assert b"recall" not in found.bodies
