"""An issuer of identity tokens on loopback: it signs what it is told, and says where its keys are."""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

AUDIENCE = "index.example"
numbers = count(1)
DISCOVERY = "/.well-known/openid-configuration"


def key(name: str = "one", bits: int = 2048) -> RSAPrivateKey:
    """An RSA key of that name, the same for the whole run."""
    return _made(name, bits)


@cache
def _made(name: str, bits: int) -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=bits)


def jwk(name: str, bits: int = 2048) -> dict[str, str]:
    """The public half as issuers list it."""
    public = key(name, bits).public_key().public_numbers()

    def number(value: int) -> str:
        return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()

    return {"kty": "RSA", "kid": name, "use": "sig", "alg": "RS256", "n": number(public.n), "e": number(public.e)}


@dataclass
class Issuer:
    """``pages`` is what it answers, by path: a value for JSON, bytes as they are, or a function of query and headers.

    ``asked`` counts requests.
    """

    url: str = ""
    pages: dict[str, Any] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200

    def lists(self, *keys: Mapping[str, Any]) -> None:
        """Have these keys, and no others."""
        self.pages["/keys"] = {"keys": list(keys)}

    def signed(self, claims: Mapping[str, Any], *, kid: str = "one", headers: Mapping[str, Any] | None = None) -> str:
        """An identity token with those claims."""
        return jwt.encode(dict(claims), key(kid), algorithm="RS256", headers={"kid": kid, **(headers or {})})

    def token(self, kind: str = "gitlab", **claims: Any) -> str:
        """A good identity token of a job, but for *claims*; None leaves one out."""
        return self.signed(self.claims(kind, **claims))

    def claims(self, kind: str = "gitlab", **change: Any) -> dict[str, Any]:
        now = int(time.time())
        common = {"iss": self.url, "aud": AUDIENCE, "iat": now, "nbf": now, "exp": now + 300}
        whole = common | {"jti": f"job-{next(numbers)}"} | CLAIMS[kind](self.url.partition("://")[2]) | change
        return {name: value for name, value in whole.items() if value is not None}


def of_github(host: str) -> dict[str, Any]:
    return {
        "sub": "repo:acme/demo:ref:refs/tags/v1",
        "repository": "acme/demo",
        "repository_owner": "acme",
        "repository_owner_id": "1001",
        "job_workflow_ref": "acme/demo/.github/workflows/release.yml@refs/tags/v1",
        "event_name": "push",
        "ref": "refs/tags/v1",
        "sha": "0123abc",
    }


def of_gitlab(host: str) -> dict[str, Any]:
    return {
        "sub": "project_path:acme/tools/demo:ref_type:tag:ref:v1",
        "project_path": "acme/tools/demo",
        "project_id": "2002",
        "namespace_id": "7",
        "ci_config_ref_uri": f"{host}/acme/tools/demo//ci/release.yml@refs/tags/v1",
        "ref_path": "refs/tags/v1",
        "sha": "0123abc",
    }


def of_google(host: str) -> dict[str, Any]:
    return {"sub": "1234", "email": "job@acme.iam.gserviceaccount.com", "email_verified": True}


def of_activestate(host: str) -> dict[str, Any]:
    return {
        "sub": "org:acme:project:demo",
        "organization": "acme",
        "project": "demo",
        "actor": "ada",
        "actor_id": "3003",
        "builder": "pypi-publisher",
    }


CLAIMS = {"github": of_github, "gitlab": of_gitlab, "google": of_google, "activestate": of_activestate}


@contextmanager
def running() -> Iterator[Issuer]:
    """Listens on a free port of loopback."""
    state = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked[self.path] += 1
            path, _, query = self.path.partition("?")
            page = state.pages.get(path)
            page = page(dict(parse_qsl(query)), self.headers) if callable(page) else page
            status = 404 if page is None else state.status
            content = page if isinstance(page, bytes) else json.dumps(page).encode()
            self.send_response(status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    state.pages[DISCOVERY] = {"issuer": state.url, "jwks_uri": f"{state.url}/keys"}
    state.lists(jwk("one"))
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
