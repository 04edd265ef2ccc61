"""What somebody reads who has made a mistake, in the clients that they use."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.builders import make_wheel
from tests.journeys.clients import Clients
from tests.journeys.conftest import Shop

Publish = Callable[..., tuple[int, str]]


def wheel(folder: Path, version: str = "1.0", code: bytes = b"") -> Path:
    folder.mkdir(exist_ok=True)
    filename, content = make_wheel(name="mistaken", version=version, files={"mistaken.py": code})
    (folder / filename).write_bytes(content)
    return folder / filename


@pytest.fixture
def by_uv(shop: Shop, client: Clients) -> Publish:
    """Publish with uv; exit status and what it printed."""

    def publish(path: Path, *options: str, url: str = shop.legacy, token: str = shop.token) -> tuple[int, str]:
        chosen = ["--publish-url", url, "--trusted-publishing", "never", *options]
        credentials = [] if "--username" in options else ["--token", token]
        done = client("uv").run("uv", "publish", *chosen, *credentials, path, check=False)
        return done.returncode, done.stdout

    return publish


@pytest.fixture
def by_twine(shop: Shop, client: Clients) -> Publish:
    """Publish with twine; exit status and what it printed."""

    def publish(path: Path, *options: str, url: str = shop.legacy, token: str = shop.token) -> tuple[int, str]:
        chosen = ["--repository-url", url, "-u", "__token__", "-p", token, "--disable-progress-bar", *options]
        done = client("twine").run("twine", "upload", "--non-interactive", *chosen, path, check=False)
        return done.returncode, " ".join(done.stdout.split())

    return publish


def test_the_same_file_twice_is_no_mistake(by_uv: Publish, by_twine: Publish, tmp_path: Path) -> None:
    path = wheel(tmp_path)
    assert [publish(path)[0] for publish in (by_uv, by_twine, by_uv, by_twine)] == [0, 0, 0, 0]


def test_other_bytes_under_a_published_name(shop: Shop, by_uv: Publish, by_twine: Publish, tmp_path: Path) -> None:
    by_uv(wheel(tmp_path / "first"))
    changed = wheel(tmp_path / "second", code=b"other = 1\n")
    status, told = by_uv(changed)
    assert (status, f"File already exists ('{changed.name}'" in told) == (2, True), told
    status, told = by_twine(changed, "--verbose")
    assert (status, "File already exists" in told) == (1, True), told
    status, told = by_twine(changed)  # prints the reason phrase
    assert (status, "A file of that name already exists, or" in told) == (1, True), told
    status, told = by_uv(changed, "--check-url", shop.simple)
    assert (status, "Local file and index file do not match" in told) == (2, True), told
    assert by_uv(wheel(tmp_path / "first"), "--check-url", shop.simple)[0] == 0


def test_a_token_that_is_none(by_uv: Publish, by_twine: Publish, tmp_path: Path) -> None:
    path = wheel(tmp_path, "2.0")
    assert "Invalid or non-existent authentication information" in by_uv(path, token="packhouse-nonsense")[1]
    assert "Invalid or non-existent authentication information" in by_twine(path, "--verbose", token="nonsense")[1]


def test_a_password_where_a_token_belongs(by_uv: Publish, tmp_path: Path) -> None:
    status, told = by_uv(wheel(tmp_path, "2.0"), "--username", "ada", "--password", "a long password of the journeys")
    assert (status, "Use an API token (user name __token__)" in told) == (2, True), told


def test_the_address_of_the_site_instead_of_the_upload_api(
    shop: Shop, by_uv: Publish, by_twine: Publish, tmp_path: Path
) -> None:
    path = wheel(tmp_path, "2.0")
    assert f"Set the repository URL to {shop.legacy}" in by_uv(path, url=f"{shop.index.url}/")[1]
    assert f"Set the repository URL to {shop.legacy}" in by_twine(path, "--verbose", url=f"{shop.index.url}/")[1]


def test_the_address_of_the_index_instead_of_the_upload_api(shop: Shop, by_uv: Publish, tmp_path: Path) -> None:
    status, told = by_uv(wheel(tmp_path, "2.0"), url=shop.simple)
    assert (status, "simple index URL instead of the upload URL" in told) == (2, True), told


def test_pip_is_told_that_there_is_no_such_project(shop: Shop, client: Clients) -> None:
    options = ["--isolated", "--no-cache-dir", "--index-url", shop.simple, "--dry-run"]
    done = client("pip").run("python", "-m", "pip", "install", *options, "no-such-project", check=False)
    assert "No matching distribution found for no-such-project" in done.stdout
