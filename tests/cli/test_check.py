"""``packhouse check`` asks what an index is set up to use elsewhere, and says what does not answer."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.factories.sigstore import Sigstore
from tests.servers import redis
from tests.servers.packhouse import run_cli
from tests.servers.processes import free_port

ANSWERS = {
    "/.well-known/openid-configuration": lambda url: json.dumps({"issuer": url}),
    "/range/00000": lambda _url: "0018A45C4D1DEF81644B54AB7F969B88D65:1",
    "/status?domain=example.org": lambda _url: '{"status": "active"}',
    "/siteverify": lambda _url: '{"success": false, "error-codes": ["invalid-input-response"]}',
    "/badsecret": lambda _url: '{"success": false, "error-codes": ["invalid-input-secret"]}',
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        answer = ANSWERS.get(self.path)
        self.send_response(200 if answer else 500)
        self.end_headers()
        host, port = self.server.server_address[:2]
        self.wfile.write(answer(f"http://{host!s}:{port}").encode() if answer else b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a server that stands in for all services."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def told(home: Path, **env: str) -> dict[str, str]:
    """The table's lines by their first word."""
    done = run_cli(home, "check", check=False, env={f"PACKHOUSE_{name.upper()}": value for name, value in env.items()})
    return {line.split()[0]: line for line in done.stdout.splitlines()}


def test_services_that_answer(tmp_path: Path, elsewhere: str) -> None:
    (tmp_path / "keys.json").write_text('{"public_keys": []}')
    with redis.running() as cache:
        lines = told(
            tmp_path / "home",
            cache=cache,
            sso_issuer=elsewhere,
            sso_client_id="packhouse",
            sso_name="Example",
            captcha=f"turnstile://key?endpoint={elsewhere}/siteverify",
            captcha_secret="hidden",
            breach_check=elsewhere,
            domain_status=f"{elsewhere}/status",
            vulnerability_keys=f"file://{tmp_path}/keys.json",
            attestation_root=str(Sigstore().trusted_root(tmp_path / "trusted_root.json")),
        )
    asked = (
        "cache",
        "sso_issuer",
        "captcha",
        "breach_check",
        "domain_status",
        "vulnerability_keys",
        "attestation_root",
    )
    assert {name: " ok " in lines[name] for name in asked} == dict.fromkeys(asked, True)
    assert "(Example)" in lines["sso_issuer"]
    assert "hidden" not in "".join(lines.values())


def test_services_that_do_not(tmp_path: Path, elsewhere: str) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    lines = told(
        tmp_path / "home",
        cache=f"redis://{nowhere}/0",
        sso_issuer=f"{elsewhere}/",
        sso_client_id="packhouse",
        captcha=f"turnstile://key?endpoint={elsewhere}/badsecret",
        captcha_secret="wrong",
        breach_check=f"{elsewhere}/nothing",
        mail_domain_check=f"dns://{nowhere}",
        domain_status=f"http://{nowhere}/status",
        vulnerability_keys=f"http://{nowhere}/keys",
        github_api=f"http://{nowhere}",
        oidc_issuers=f"gitlab=http://{nowhere}",
    )
    expected = {
        "cache": "limits are counted in the database meanwhile",
        "sso_issuer": f"calls itself {elsewhere}, which sso_issuer must be",
        "captcha": "turnstile says invalid-input-secret",
        "breach_check": "HTTP Error 500",
        "mail_domain_check": "FAILS: ",
        "domain_status": "Connection refused",
        "vulnerability_keys": "the keys cannot be read: ",
        "github_api": "Connection refused",
        "oidc_issuers": "Connection refused",
    }
    assert {name: (words if words in lines[name] else lines[name]) for name, words in expected.items()} == expected


def test_a_trusted_root_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_text("{}")
    lines = told(tmp_path / "home", attestation_root=str(tmp_path / "root.json"))
    assert f"FAILS: the trusted root {tmp_path}/root.json cannot be used" in lines["attestation_root"]


def test_a_captcha_without_its_secret_is_named(tmp_path: Path) -> None:
    assert "captcha_secret is not set" in told(tmp_path / "home", captcha="hcaptcha://key")["captcha"]
