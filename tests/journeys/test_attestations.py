"""A job publishes with attestations, and a reader checks where files come from."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.builders import make_sdist, make_wheel
from tests.factories.sigstore import Sigstore
from tests.journeys.clients import Client, Clients
from tests.servers import packhouse
from tests.servers.packhouse import Running, environment

ROOT = Path(__file__).parents[2]
CACHED_ROOT = "cache/sigstore-python/tuf/https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json"
"""Where clients of Sigstore keep the trusted root that they verify by when they ask nobody."""


def token_of_a_job(index: Running) -> str:
    made = subprocess.run(
        [sys.executable, "-m", "tests.journeys.trusting"],
        cwd=ROOT,
        env=environment(index.home, index.database),
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip()


def signed(folder: Path, file: tuple[str, bytes], ours: Sigstore) -> Path:
    """The file with its attestation beside it, as signing tools leave them."""
    path = folder / file[0]
    path.write_bytes(file[1])
    path.with_name(f"{file[0]}.publish.attestation").write_text(json.dumps(ours.attest(*file)))
    return path


def with_attestation(path: Path) -> tuple[Path, Path]:
    """What ``dist/*`` would name."""
    return path, path.with_name(f"{path.name}.publish.attestation")


def provenance_of(index: Running, filename: str) -> bytes:
    """What the simple API leads to."""
    request = urllib.request.Request(
        f"{index.url}/simple/attested/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        files = {file["filename"]: file["provenance"] for file in json.load(answer)["files"]}
    with urllib.request.urlopen(files[filename], timeout=60) as answer:
        body: bytes = answer.read()
    return body


def verify(reader: Client, path: Path, provenance: Path, repository: str) -> subprocess.CompletedProcess[str]:
    options = ["--offline", "--repository", f"https://github.com/{repository}", "--provenance-file", provenance]
    return reader.run("pypi-attestations", "verify", "pypi", *options, path, check=False)


def test_what_a_job_signs_is_published_and_verified_by_who_reads_it(
    request: pytest.FixtureRequest, tmp_path: Path, client: Clients, live_database: str | None
) -> None:
    ours, dist = Sigstore(), tmp_path / "dist"
    dist.mkdir()
    root = ours.trusted_root(tmp_path / "trusted_root.json")
    wheel, sdist = (signed(dist, make("attested", "1.0"), ours) for make in (make_wheel, make_sdist))
    reader = client("pypi-attestations")
    (reader.home / CACHED_ROOT).parent.mkdir(parents=True)
    (reader.home / CACHED_ROOT).write_bytes(root.read_bytes())
    settings = {"PACKHOUSE_ATTESTATION_ROOT": str(root)}
    with packhouse.running(tmp_path / "home", database=live_database, env=settings) as index:
        token, legacy = token_of_a_job(index), f"{index.url}/legacy/"
        options = ["--attestations", "--repository-url", legacy, "-u", "__token__", "-p", token]
        client("twine").run("twine", "upload", "--non-interactive", *options, *with_attestation(wheel))
        options = ["--publish-url", legacy, "--token", token, "--trusted-publishing", "never"]
        client("uv").run("uv", "publish", *options, *with_attestation(sdist))

        for path in (wheel, sdist):
            provenance = tmp_path / f"{path.name}.provenance"
            provenance.write_bytes(provenance_of(index, path.name))
            done = verify(reader, path, provenance, "octo/demo")
            assert (done.returncode, f"OK: {path.name}" in done.stdout) == (0, True), done.stdout
            assert verify(reader, path, provenance, "octo/other").returncode != 0
        wheel.write_bytes(wheel.read_bytes() + b"\0")
        assert (
            "does not match distribution digest"
            in verify(reader, wheel, tmp_path / f"{wheel.name}.provenance", "octo/demo").stdout
        )

        forged = signed(dist, make_wheel("attested", "1.1"), Sigstore())
        options = ["--publish-url", legacy, "--token", token, "--trusted-publishing", "never"]
        refused = client("uv").run("uv", "publish", *options, *with_attestation(forged), check=False)
        assert refused.returncode != 0
        assert "an attestation could not be verified" in refused.stdout
