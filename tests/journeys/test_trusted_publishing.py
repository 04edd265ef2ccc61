"""uv in a job of GitHub Actions: it asks the service for an identity token, and this index for a token and its file."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.builders import make_wheel
from tests.journeys import clients
from tests.journeys.clients import Clients
from tests.journeys.conftest import behind_tls
from tests.publishers import issuer as issuers
from tests.servers import packhouse

ADD = """
from packhouse.accounts.models import User
from packhouse.publishers import pending
from packhouse.publishers.issuers import own_issuers
from packhouse.publishers.wanted import Wanted
fields = {"owner": "acme", "repository": "demo", "workflow": "release.yml", "environment": ""}
wanted = Wanted(own_issuers()[0], fields, "1001")
pending.add_pending(user=User.objects.get(username="ada"), project_name="by-a-job", wanted=wanted)
"""


@pytest.fixture
def service() -> Iterator[issuers.Issuer]:
    """The build service: it hands its jobs identity tokens for whom they name."""

    def token(query: dict[str, str], headers: Any) -> dict[str, str]:
        assert headers["Authorization"] == "Bearer of-the-job"
        return {"value": running.signed(running.claims("github", aud=query["audience"]))}

    with issuers.running() as running:
        running.pages["/token"] = token
        yield running


@pytest.fixture
def index(request: pytest.FixtureRequest, service: issuers.Issuer, tmp_path: Path) -> Iterator[packhouse.Running]:
    """An index that trusts the service, with a user who waits for a job to start the project."""
    database = None
    if request.config.getoption("--database") == "postgresql":
        database = request.getfixturevalue("postgres_server").create_database("trusted")
    env = {"PACKHOUSE_OIDC_ISSUERS": f"github={service.url}", "PACKHOUSE_REQUIRE_TWO_FACTOR": "nobody"}
    with packhouse.running(tmp_path / "home", database=database, workers=2, env=env) as index:
        password = tmp_path / "password"
        password.write_text("a long password of the journeys")
        who = ("user", "create", "ada", "--email", "ada@example.org", "--verified")
        index.run_cli(*who, "--password-file", str(password))
        packhouse.run_cli(index.home, "manage", "shell", "-c", ADD, database=database, env=env)
        yield index


def test_uv_publishes_without_a_secret(
    index: packhouse.Running,
    service: issuers.Issuer,
    client: Clients,
    nginx_server: Callable[..., str],
    tmp_path: Path,
) -> None:
    no_authority = ("basicConstraints=critical,CA:FALSE",)  # else uv does not take it for a server's
    url, certificate = behind_tls(index.url, nginx_server, tmp_path, extensions=no_authority)
    for version in ("1.0", "1.1"):
        filename, content = make_wheel(name="by-a-job", version=version)
        (tmp_path / filename).write_bytes(content)
    job = {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{service.url}/token?job=1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-job",
        "SSL_CERT_FILE": str(certificate),
    }
    options = ["--trusted-publishing", "always", "--publish-url", f"{url}/legacy/"]
    files = sorted(tmp_path.glob("*.whl"))
    uv = client("uv")
    uv.run("uv", "publish", *options, files[0], env=clients.NO_PROXIES | job)
    uv.run("uv", "publish", *options, files[1], env=clients.NO_PROXIES | job)

    accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{index.url}/simple/by-a-job/", headers=accept)) as answer:
        assert [file["filename"] for file in json.load(answer)["files"]] == [file.name for file in files]
