"""Real distributions go in through twine and uv, and come out of every installer as they are."""

import hashlib
import json
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.clients import Client, Clients
from tests.journeys.conftest import Distribution, Shop

PURE = ["requests", "flask", "rich", "pytest", "hatchling"]
BINARY = ["pydantic", "pandas", "pillow", "cryptography", "django", "ruff"]
IMPORTED = ["requests", "flask", "rich", "pytest"]
JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}


def get(url: str, headers: Mapping[str, str] = {}) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers)), timeout=120) as response:
        return bytes(response.read())


def roots(shop: Shop) -> list[str]:
    """What to install: on PostgreSQL, where big files stay out, what is pure."""
    return PURE if len({item.project for item in shop.stock} & set(BINARY)) < len(BINARY) else PURE + BINARY


def runs(client: Client, site: Path, *modules: str) -> None:
    """The installed modules can be imported, from *site* alone."""
    code = ";".join(f"import {module}; assert {module}.__file__.startswith({str(site)!r})" for module in modules)
    client.run("python", "-c", code, env={"PYTHONPATH": str(site)})


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_sixty_distributions_and_more_come_out_byte_for_byte(full_shop: Shop) -> None:
    postgresql = full_shop.index.database is not None
    assert len(full_shop.stock) >= (40 if postgresql else 75)

    def fetched(item: Distribution) -> tuple[str, str, bool]:
        page = json.loads(get(f"{full_shop.simple}{item.project}/", JSON))
        file: dict[str, Any] = next(file for file in page["files"] if file["filename"] == item.filename)
        metadata = file.get("core-metadata")
        told = hashlib.sha256(get(file["url"] + ".metadata")).hexdigest() if metadata else ""
        same = file["size"] == item.path.stat().st_size and file["hashes"]["sha256"] == item.sha256
        return item.filename, hashlib.sha256(get(file["url"])).hexdigest(), same and metadata == {"sha256": told}

    with ThreadPoolExecutor(4) as pool:
        came_out = set(pool.map(fetched, full_shop.stock))
    assert came_out == {(item.filename, item.sha256, item.filename.endswith(".whl")) for item in full_shop.stock}


def test_the_list_of_projects_holds_them_all(full_shop: Shop) -> None:
    listed = {project["name"] for project in json.loads(get(full_shop.simple, JSON))["projects"]}
    assert len(listed) == len({item.project for item in full_shop.stock})


@pytest.mark.parametrize("version", ["pip", "pip-22", "pip-20", "pip-19"])
def test_pip_installs_with_dependencies(full_shop: Shop, client: Clients, tmp_path: Path, version: str) -> None:
    pip, site = client(version), tmp_path / "site"
    wanted = roots(full_shop) if version == "pip" else PURE
    options = ["--isolated", "--no-cache-dir", "--index-url", full_shop.simple, "--target", site, "--no-compile"]
    pip.run("python", "-m", "pip", "install", *options, *wanted)
    runs(pip, site, *IMPORTED)


def test_pip_downloads_the_very_bytes(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    options = ["--isolated", "--no-cache-dir", "--index-url", full_shop.simple, "--dest", tmp_path]
    client("pip").run("python", "-m", "pip", "download", *options, *roots(full_shop))
    known = {item.filename: item.sha256 for item in full_shop.stock}
    came = {path.name: digest(path) for path in tmp_path.iterdir()}
    assert len(came) >= len(roots(full_shop)) + 10
    assert came == {name: known[name] for name in came}


def test_uv_installs_by_hash(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    uv, site = client("uv"), tmp_path / "site"
    (tmp_path / "wanted.in").write_text("\n".join(roots(full_shop)))
    lock = tmp_path / "locked.txt"
    index = ["--default-index", full_shop.simple, "--no-cache"]
    uv.run("uv", "pip", "compile", *index, "--generate-hashes", "-o", lock, tmp_path / "wanted.in")
    locked = lock.read_text()
    hashes = {word.removeprefix("--hash=sha256:") for word in locked.split() if word.startswith("--hash")}
    assert hashes <= {item.sha256 for item in full_shop.stock}
    uv.run("uv", "pip", "install", *index, "--require-hashes", "--target", site, "-r", lock)
    runs(uv, site, *IMPORTED)


def test_pip_builds_sdists_with_backends_from_the_same_index(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    pip = client("pip")
    options = [
        "--isolated",
        "--no-cache-dir",
        "--index-url",
        full_shop.simple,
        "--target",
        tmp_path / "site",
        "--no-compile",
    ]
    pip.run("python", "-m", "pip", "install", *options, "--no-binary", "flask,docopt", "flask", "docopt")
    runs(pip, tmp_path / "site", "flask", "docopt")


def test_pip_leaves_out_what_is_too_new(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    options = ["--isolated", "--no-cache-dir", "--index-url", full_shop.simple, "--dest", tmp_path]
    download = ["python", "-m", "pip", "download", *options]
    refused = client("pip").run(*download, "--uploaded-prior-to", "2020-01-01", "idna", check=False)
    assert refused.returncode
    assert "No matching distribution" in refused.stdout
    client("pip").run(*download, "--uploaded-prior-to", "2100-01-01", "idna")


def test_uv_leaves_out_what_is_too_new(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    requires = 'dependencies = ["idna"]\nrequires-python = ">=3.11"\n'
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "mine"\nversion = "1"\n{requires}')
    lock = ["uv", "lock", "--no-cache", "--default-index", full_shop.simple]
    refused = client("uv").run(*lock, "--exclude-newer", "2020-01-01T00:00:00Z", cwd=tmp_path, check=False)
    assert refused.returncode
    assert "exclude-newer" in refused.stdout
    client("uv").run(*lock, "--exclude-newer", "2100-01-01T00:00:00Z", cwd=tmp_path)
    assert "idna-3.20-py3-none-any.whl" in (tmp_path / "uv.lock").read_text()


def test_what_the_rules_of_today_refuse_is_known(
    full_shop: Shop, client: Clients, distributions: list[Distribution], refusals: dict[str, tuple[int, str]]
) -> None:
    paths = [item.path for item in distributions if item.filename in refusals]
    assert len(paths) == len(refusals)
    script = Path(__file__).with_name("upload_each.py")
    told = client("twine-4").run("python", script, full_shop.legacy, full_shop.token, *paths).stdout
    rows = [line.split() for line in told.splitlines() if len(line.split()) == 3]
    assert {name: (int(status), reason) for name, status, reason in rows} == refusals
