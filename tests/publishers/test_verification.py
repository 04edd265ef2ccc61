"""Which identity tokens are believed, and what an issuer can do to the index."""

import base64
import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.factories.projects import make_project
from tests.factories.publishers import make_publisher
from tests.publishers.asking import minted, refused
from tests.publishers.issuer import DISCOVERY, Issuer, jwk, key, running

from packhouse.publishers import keys, verification
from packhouse.publishers.models import MintedToken, Publisher, UsedIdentity

pytestmark = pytest.mark.django_db

INVALID = ("invalid-token", "malformed or invalid token")
UNREADABLE = ("invalid-payload", "malformed JWT")


@pytest.fixture(autouse=True)
def publisher(issuer: Issuer) -> Publisher:
    return make_publisher(make_project("demo"), kind="gitlab", issuer=issuer.url)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def pem() -> bytes:
    return key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hmac_with_pem(issuer: Issuer, **headers: Any) -> str:
    """Signed with the public key, as if it were a shared secret."""
    header, payload = part({"alg": "HS256", "typ": "JWT", "kid": "one"} | headers), part(issuer.claims())
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        f"{header}.{payload}".encode(), pem()
    )
    return f"{header}.{payload}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def by_own_key(issuer: Issuer, **headers: Any) -> str:
    """Signed with a key of the sender's, which the header offers or names."""
    return jwt.encode(issuer.claims(), key("forged"), algorithm="RS256", headers={"kid": "one"} | headers)


FORGED: dict[str, Callable[[Issuer], str]] = {
    "unsigned": lambda issuer: f"{part({'alg': 'none', 'kid': 'one'})}.{part(issuer.claims())}.",
    "signed with the public key": hmac_with_pem,
    "another signature of RSA": lambda issuer: jwt.encode(
        issuer.claims(), key(), algorithm="RS512", headers={"kid": "one"}
    ),
    "padding of another kind": lambda issuer: jwt.encode(
        issuer.claims(), key(), algorithm="PS256", headers={"kid": "one"}
    ),
    "of a foreign key": by_own_key,
    "with its key in the header": lambda issuer: by_own_key(issuer, jwk=jwk("forged")),
    "with the address of its key": lambda issuer: by_own_key(issuer, jku=f"{issuer.url}/forged"),
    "with a certificate": lambda issuer: by_own_key(issuer, x5u=f"{issuer.url}/forged", x5c=["AAAA"]),
    "of no key": lambda issuer: jwt.encode(issuer.claims(), key(), algorithm="RS256"),
    "of a key that leads elsewhere": lambda issuer: issuer.signed(issuer.claims(), headers={"kid": "../one"}),
    "of an empty key": lambda issuer: issuer.signed(issuer.claims(), headers={"kid": ""}),
    "that claims an extension": lambda issuer: issuer.signed(issuer.claims(), headers={"crit": ["exp"]}),
    "changed afterwards": lambda issuer: ".".join(
        [(parts := issuer.token().split("."))[0], part(issuer.claims(project_path="acme/other")), parts[2]]
    ),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
def test_a_forged_token_is_refused_and_nothing_that_it_names_is_asked(
    issuer: Issuer, forge: Callable[[Issuer], str]
) -> None:
    assert refused(forge(issuer)) in {INVALID, UNREADABLE}
    assert set(issuer.asked) <= {DISCOVERY, "/keys"}
    assert not MintedToken.objects.exists()
    assert not UsedIdentity.objects.exists()


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": None},
        {"aud": "elsewhere.example"},
        {"aud": "INDEX.example"},
        {"aud": "index.example/"},
        {"aud": ["index.example"]},
        {"aud": ["index.example", "elsewhere.example"]},
        {"aud": 5},
        {"aud": {}},
        {"exp": None},
        {"exp": "soon"},
        {"exp": str(2**32)},
        {"exp": 1.5},
        {"exp": []},
        {"exp": True},
        {"exp": 10**30},
        {"exp": float("inf")},
        {"iat": None},
        {"iat": "then"},
        {"iat": []},
        {"iat": -1},
        {"nbf": "then"},
        {"nbf": {}},
        {"sub": 5},
        {"jti": 5},
        {"jti": []},
    ],
    ids=str,
)
def test_claims_of_a_wrong_type_or_value_are_refused(issuer: Issuer, claims: dict[str, Any]) -> None:
    assert refused(issuer.token(**claims))[0] in {"invalid-token", "invalid-publisher", "invalid-payload"}
    assert not MintedToken.objects.exists()


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({"exp": -29}, True),
        ({"exp": -31}, False),
        ({"nbf": 29}, True),
        ({"nbf": 31}, False),
        ({"iat": 29, "nbf": None}, True),
        ({"iat": 31, "nbf": None}, False),
    ],
    ids=str,
)
def test_clocks_may_differ_by_half_a_minute(
    issuer: Issuer, time_machine: Any, claims: dict[str, Any], is_good: bool
) -> None:
    moment = datetime(2026, 5, 1, 12, tzinfo=UTC)
    time_machine.move_to(moment, tick=False)
    shifted = {name: None if by is None else int(moment.timestamp()) + by for name, by in claims.items()}
    if is_good:
        minted(issuer.token(**shifted))
    else:
        assert refused(issuer.token(**shifted)) == INVALID


@pytest.mark.parametrize("text", ["x", "a.b.c", "....", "e30.e30.", "\u20ac", "x" * 20_000])
def test_what_is_no_token_is_refused(issuer: Issuer, text: str) -> None:
    assert refused(text) == UNREADABLE
    assert not issuer.asked


@pytest.mark.parametrize(
    "payload", [[], "text", 5, {}, {"iss": None}, {"iss": 5}, {"iss": ["https://gitlab.com"]}], ids=str
)
def test_a_token_without_an_issuer_is_refused(issuer: Issuer, payload: Any) -> None:
    assert refused(f"{part({'alg': 'RS256', 'kid': 'one'})}.{part(payload)}.AAAA") == UNREADABLE


@pytest.mark.parametrize(
    "change", [lambda url: url + "/", lambda url: url.upper(), lambda url: url[:-1], lambda url: f" {url}"]
)
def test_an_issuer_is_known_by_its_exact_name(issuer: Issuer, change: Callable[[str], str]) -> None:
    assert refused(issuer.token(iss=change(issuer.url))) == ("invalid-payload", "unknown trusted publishing issuer")
    assert not issuer.asked


def test_an_issuer_cannot_sign_for_another(issuer: Issuer, settings: Any) -> None:
    with running() as second:
        first = settings.PACKHOUSE.oidc_issuers
        settings.PACKHOUSE = replace(settings.PACKHOUSE, oidc_issuers=(*first, f"gitlab={second.url}"))
        second.lists(jwk("two"))
        claims = second.claims(ci_config_ref_uri=issuer.claims()["ci_config_ref_uri"])
        assert refused(second.signed(claims, kid="two"))[0] == "invalid-publisher"
        assert refused(second.signed(claims | {"iss": issuer.url}, kid="two")) == INVALID
    minted(issuer.token())


# Keys.


def test_keys_are_asked_for_once(issuer: Issuer) -> None:
    minted(issuer.token())
    minted(issuer.token())
    assert dict(issuer.asked) == {DISCOVERY: 1, "/keys": 1}


def test_a_new_key_is_found_but_not_more_often_than_once_a_minute(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(keys, "monotonic", lambda: now[0])
    _without_a_deadline(monkeypatch)
    minted(issuer.token())
    issuer.lists(jwk("one"), jwk("two"))
    assert refused(issuer.signed(issuer.claims(), kid="two")) == INVALID
    assert issuer.asked["/keys"] == 1
    now[0] += 60
    minted(issuer.signed(issuer.claims(), kid="two"))
    minted(issuer.token())
    assert issuer.asked["/keys"] == 2


def test_a_key_that_was_taken_back_is_not_believed_for_longer_than_an_hour(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(keys, "monotonic", lambda: now[0])
    _without_a_deadline(monkeypatch)
    minted(issuer.token())
    issuer.lists(jwk("two"))
    now[0] += 3600
    assert refused(issuer.token()) == INVALID


def test_an_issuer_that_is_away_is_believed_for_a_day(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(keys, "monotonic", lambda: now[0])
    _without_a_deadline(monkeypatch)
    minted(issuer.token())
    issuer.status = 503
    now[0] += 86_399
    minted(issuer.token())
    now[0] += 60
    assert refused(issuer.token()) == ("invalid-token", "the keys of the issuer cannot be had at the moment")


def _without_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still for the module, and so would its deadlines."""
    monkeypatch.setattr(keys, "PATIENCE", 1e9)


@pytest.mark.parametrize(
    "pages",
    [
        {DISCOVERY: b"nonsense"},
        {DISCOVERY: b"[" * 100_000},
        {DISCOVERY: b"[]"},
        {DISCOVERY: {"issuer": "https://elsewhere.example", "jwks_uri": "{url}/keys"}},
        {DISCOVERY: {"issuer": "{url}"}},
        {DISCOVERY: {"issuer": "{url}", "jwks_uri": 5}},
        {DISCOVERY: {"issuer": "{url}", "jwks_uri": "file:///etc/passwd"}},
        {DISCOVERY: {"issuer": "{url}", "jwks_uri": "https://user@elsewhere.example/"}},
        {"/keys": b"nonsense"},
        {"/keys": {}},
        {"/keys": {"keys": 5}},
        {"/keys": b'{"keys": ["' + b"x" * 300_000 + b'"]}'},
    ],
    ids=str,
)
def test_an_issuer_that_talks_nonsense_mints_nothing_and_breaks_nothing(issuer: Issuer, pages: dict[str, Any]) -> None:
    for path, page in pages.items():
        told = json.loads(json.dumps(page).replace("{url}", issuer.url)) if isinstance(page, dict) else page
        issuer.pages[path] = told
    assert refused(issuer.token())[0] == "invalid-token"


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"n": "AQAB"},
        {"n": "!"},
        {"n": 5},
        {"e": None},
        {"kid": 5},
        {"kid": ["one"]},
    ],
    ids=str,
)
def test_a_key_that_is_none_for_these_signatures_is_passed_over(issuer: Issuer, change: dict[str, Any]) -> None:
    issuer.lists(jwk("one") | change, jwk("two"))
    assert refused(issuer.token()) == INVALID
    minted(issuer.signed(issuer.claims(), kid="two"))


def test_a_short_key_is_passed_over(issuer: Issuer) -> None:
    issuer.lists(jwk("short", bits=1024))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(issuer.claims(), key("short", 1024), algorithm="RS256", headers={"kid": "short"})
    assert refused(token) == INVALID


@pytest.fixture
def canary() -> Iterator[list[bytes]]:
    """What arrives at another service of this machine: its address and, once somebody has asked it, the request."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        got.append(f"127.0.0.1:{server.getsockname()[1]}".encode())

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    got.append(connection.recv(1000))

        thread = Thread(target=listen, daemon=True)
        thread.start()
        yield got
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_issuer_cannot_have_other_services_of_the_network_asked(
    issuer: Issuer, canary: list[bytes], scheme: str
) -> None:
    issuer.pages[DISCOVERY] = {"issuer": issuer.url, "jwks_uri": f"{scheme}://{canary[0].decode()}/keys"}
    assert refused(issuer.token())[0] == "invalid-token"
    assert len(canary) == 1


def test_no_redirect_is_followed(issuer: Issuer, canary: list[bytes]) -> None:
    issuer.status, issuer.headers = 302, {"Location": f"http://{canary[0].decode()}/"}
    assert refused(issuer.token())[0] == "invalid-token"
    assert len(canary) == 1


def test_an_issuer_that_drips_is_cut_off(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """It would take an hour; how long it does take is bounded by PATIENCE, and is not measured here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3600\r\n\r\n")
                    while connection.send(b" "):
                        time.sleep(0.05)
                except OSError:
                    return

        thread = Thread(target=drip, daemon=True)
        thread.start()
        settings.PACKHOUSE = replace(
            settings.PACKHOUSE, oidc_issuers=(*settings.PACKHOUSE.oidc_issuers, f"gitlab={url}")
        )
        with monkeypatch.context() as impatient:
            impatient.setattr(keys, "PATIENCE", 0.3)
            told = refused(issuer.token(iss=url))
        assert told == ("invalid-token", "the keys of the issuer cannot be had at the moment")
        minted(issuer.token())
        thread.join()


def test_a_token_without_a_name_is_remembered_by_what_is_signed_of_it(issuer: Issuer) -> None:
    claims = {"exp": 5}
    [one, other] = [issuer.signed(claims), issuer.signed(claims | {"x": 1})]
    at = verification.issuer_of(issuer.token())
    digest = verification.replay_digest(one, claims, at)
    assert digest == verification.replay_digest(one + "==", claims, at)
    assert digest != verification.replay_digest(other, claims, at)


def test_used_tokens_are_forgotten_when_nobody_takes_them_any_more() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    claims = {"exp": int(now.timestamp())}
    assert verification.remembered_until(claims) - now > timedelta(seconds=verification.LEEWAY)
