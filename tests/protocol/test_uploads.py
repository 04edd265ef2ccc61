"""What publishing clients see at ``/legacy/``, over a socket."""

import base64
import json

import pytest
from tests.builders import make_wheel
from tests.protocol import wire
from tests.protocol.shelf import form_for, headers_for
from tests.protocol.test_simple import SECURITY
from tests.uploads.publishing import BOUNDARY, credentials

FORM = f"multipart/form-data; boundary={BOUNDARY}"
TWINE, UV = "*/*", "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"


@pytest.fixture
def post(index, filled):
    """``post(body, …)`` uploads with the good token unless told otherwise."""

    def send(body, *, path="/legacy/", **headers):
        return wire.ask(index.url, path, method="POST", body=body, **headers_for(filled.token) | headers)

    return send


def test_an_upload_is_answered_with_nothing_but_200_and_so_is_the_same_one_again(post, filled):
    name = "demo_pkg-1.0-py3-none-any.whl"
    again = post(form_for(name, filled.files[name], name="Demo.Pkg", requires_python=">=3.9"), Accept=TWINE)
    assert (again.status, again.body) == (200, b"")
    assert SECURITY.items() <= dict(again.headers).items()


@pytest.mark.parametrize("form", ["Basic", "token", "bearer", "Bearer", "padded"])
def test_a_token_is_taken_in_every_form_that_clients_send(post, filled, form):
    sent = credentials(filled.token) if form == "Basic" else f"{form} {filled.token}"
    if form == "padded":
        sent = credentials(f" {filled.token}\n")
    answer = post(form_for(*make_wheel("Demo.Pkg", "1.0"), name="Demo.Pkg"), Authorization=sent, Accept=UV)
    assert json.loads(answer.body)["reason"] not in {"anonymous", "unknown-token", "undecodable-credentials"}
    assert answer.status == 400


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "anonymous"),
        ("Basic !!!", "undecodable-credentials"),
        ("Negotiate abc", "unknown-scheme"),
        (credentials("packhouse-AgEx"), "malformed-token"),
        (credentials("hunter2", username="ada"), "password-authentication"),
        ("Basic \xff", None),
    ],
)
def test_whoever_is_not_known_gets_a_403_and_is_never_asked(post, authorization, reason):
    answer = post(form_for(*make_wheel()), Authorization=authorization, Accept=UV)
    assert answer.status == 403
    assert "www-authenticate" not in answer
    assert reason in {None, json.loads(answer.body)["reason"]}


def test_the_token_is_a_v2_macaroon_in_base64_without_padding(filled, index):
    prefix, _, encoded = filled.token.partition("-")
    assert prefix == "packhouse"
    assert "=" not in encoded
    data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    assert data[:3] == b"\x02\x01" + bytes([data[2]])
    location = data[3 : 3 + data[2]]
    assert location == index.url.removeprefix("http://").partition(":")[0].encode()
    assert data[3 + data[2] : 5 + data[2]] == b"\x02\x24"
    assert data[-34:-32] == b"\x06\x20"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [(TWINE, "text/html"), (UV, "application/json"), ("text/plain", "text/plain"), ("image/png", "text/plain")],
)
def test_a_refusal_is_in_the_body_and_never_in_the_status_line(index, filled, accept, kind):
    changed = make_wheel("Demo.Pkg", "1.0", files={"demo_pkg/other.py": b""})
    body = form_for(*changed, name="Demo.Pkg")
    with wire.Connection(index.url) as connection:
        headers = headers_for(filled.token) | {"Accept": accept, "Content-Length": str(len(body))}
        connection.send(wire.head_of("POST", "/legacy/", headers) + body)
        answer = connection.answer()
    assert (answer.status, answer["Content-Type"].partition(";")[0]) == (400, kind)
    assert "Accept" in answer["Vary"].split(", ")
    assert answer["Cache-Control"] == "no-store"
    assert b"File already exists" in answer.body
    if kind == "application/json":
        found = json.loads(answer.body)
        assert set(found) >= {"message", "code", "title"}
        assert found["code"] == f"400 {found['message']}"
        assert found["title"] == "Bad Request"
    assert SECURITY.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("action", ["submit", "submit_pkg_info", "doc_upload"])
def test_actions_of_long_ago_are_gone(post, action):
    for path, fields in ((f"/legacy/?:action={action}", {}), ("/legacy/", {":action": action})):
        body = "".join(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()
        )
        answer = post((body + f"--{BOUNDARY}--\r\n").encode(), path=path, Accept="text/plain")
        assert answer.status == 410


def test_the_address_without_the_slash_keeps_method_and_query(get, index):
    moved = get("/legacy?:action=file_upload", method="POST", body=b"x")
    assert (moved.status, moved["Location"].removeprefix(index.url)) == (308, "/legacy/?:action=file_upload")


def test_an_upload_to_the_main_address_is_told_the_right_one(get, index):
    for action in ("file_upload", "submit", "doc_upload"):
        moved = get(f"/pypi?:action={action}", method="POST", body=b"x", Accept="application/json")
        assert moved.status == 410
        assert f"{index.url}/legacy/" in json.loads(moved.body)["message"] or action != "file_upload"


def test_other_methods(get):
    page = get("/legacy/")
    assert (page.status, page["Content-Type"]) == (200, "text/html; charset=utf-8")
    head = get("/legacy/", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    for method in ("PUT", "DELETE"):
        refused = get("/legacy/", method=method)
        assert refused.status == 405
        assert "POST" in refused["Allow"]
    assert get("/simple/", method="POST", body=b"x").status == 405


def test_a_client_may_ask_before_it_sends(index, filled):
    body = form_for(*make_wheel())
    with wire.Connection(index.url) as connection:
        headers = headers_for("x") | {"Content-Length": str(len(body)), "Expect": "100-continue"}
        connection.send(wire.head_of("POST", "/legacy/", headers))
        assert connection.answer().status == 100
        connection.send(body)
        assert connection.answer().status == 403


def chunked(body, size=1000):
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_an_upload_may_come_in_chunks_and_counts_only_when_complete(index, filled):
    body = form_for(
        "demo_pkg-1.0-py3-none-any.whl",
        filled.files["demo_pkg-1.0-py3-none-any.whl"],
        name="Demo.Pkg",
        requires_python=">=3.9",
    )
    headers = headers_for(filled.token) | {"Transfer-Encoding": "chunked", "Connection": "close"}
    with wire.Connection(index.url) as connection:
        connection.send(wire.head_of("POST", "/legacy/", headers) + chunked(body))
        assert connection.answer().status == 200
    with wire.Connection(index.url) as connection:
        connection.send(wire.head_of("POST", "/legacy/", headers) + chunked(body)[:-100])
        connection.socket.shutdown(1)
        assert connection.answer().status == 400
