"""Mirrors copy Packhouse completely, and then follow it."""

import hashlib
import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.builders import make_wheel
from tests.journeys import clients
from tests.journeys.clients import Client, Clients
from tests.journeys.conftest import Shop, behind_tls
from tests.servers import processes

QUICK = ["--argon2-memory", "8192", "--argon2-parallelism", "1", "--argon2-time", "1"]
BANDERSNATCH = """\
[mirror]
directory = {folder}
master = {url}
json = true
simple-format = ALL
release-files = true
core-metadata = true
hash-index = false
timeout = 120
workers = 3
stop-on-error = true
compare-method = hash
storage-backend = filesystem
verifiers = 3
"""


@pytest.fixture
def https(full_shop: Shop, nginx_server: Callable[..., str], tmp_path: Path) -> tuple[str, Path]:
    """The index behind TLS (bandersnatch verifies over nothing else)."""
    return behind_tls(full_shop.index.url, nginx_server, tmp_path)


def publish(shop: Shop, client: Clients, folder: Path, name: str, version: str) -> Path:
    """One more file on the index."""
    filename, content = make_wheel(name=name, version=version)
    (folder / filename).write_bytes(content)
    options = ["--publish-url", shop.legacy, "--token", shop.token, "--trusted-publishing", "never"]
    client("uv").run("uv", "publish", *options, folder / filename)
    return folder / filename


def files_in(folder: Path) -> dict[str, str]:
    """The sha256 of every file below *folder*, by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_bandersnatch_mirrors_everything_heals_what_is_damaged_and_follows(
    full_shop: Shop, https: tuple[str, Path], client: Clients, tmp_path: Path
) -> None:
    url, certificate = https
    env = clients.NO_PROXIES | {"SSL_CERT_FILE": str(certificate)}
    mirror = tmp_path / "mirror"
    (tmp_path / "mirror.conf").write_text(BANDERSNATCH.format(folder=mirror, url=url))
    bandersnatch = client("bandersnatch")
    command = ("bandersnatch", "-c", tmp_path / "mirror.conf")

    bandersnatch.run(*command, "mirror", env=env)
    web = mirror / "web"
    copied = files_in(web / "packages")
    assert {item.filename: item.sha256 for item in full_shop.stock}.items() <= copied.items()
    for item in full_shop.stock:
        page = json.loads((web / "simple" / item.project / "index.v1_json").read_text())
        assert item.filename in {file["filename"] for file in page["files"]}
        assert item.filename in (web / "simple" / item.project / "index.html").read_text()
        about = json.loads((web / "json" / item.project).read_text())
        assert item.filename in {file["filename"] for files in about["releases"].values() for file in files}

    damaged = next((web / "packages").rglob(full_shop.stock[0].filename))
    damaged.write_bytes(b"not what it was")
    told = bandersnatch.run(*command, "verify", "--delete", env=env).stdout
    assert "Traceback" not in told, told
    assert files_in(web / "packages") == copied, told

    news = publish(full_shop, client, tmp_path, "six", "99.0")
    bandersnatch.run(*command, "mirror", env=env)
    assert [path.read_bytes() for path in (web / "packages").rglob(news.name)] == [news.read_bytes()]


@contextmanager
def devpi_server(devpi: Client, folder: Path, upstream: str) -> Iterator[str]:
    """devpi-server whose index ``root/ours`` mirrors *upstream*."""
    port = processes.free_port()
    devpi.run("devpi-init", "--serverdir", folder, "--no-root-pypi")
    server = processes.start(
        [
            devpi.folder / "bin" / "devpi-server",
            "--serverdir",
            folder,
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--request-timeout",
            "120",
            *QUICK,
        ],
        log=folder / "log",
        ready=lambda: processes.listens(port),
        env=devpi.environment() | clients.NO_PROXIES,
    )
    url, index = f"http://127.0.0.1:{port}", "root/ours"
    try:
        devpi.run("devpi", "use", url)
        devpi.run("devpi", "login", "root", "--password=")
        devpi.run("devpi", "index", "-c", index, "type=mirror", f"mirror_url={upstream}")
        yield f"{url}/{index}/+simple/"
    finally:
        server.stop()


def test_pip_installs_through_a_devpi_that_mirrors_packhouse(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    (tmp_path / "devpi").mkdir()
    with devpi_server(client("devpi"), tmp_path / "devpi", full_shop.simple) as simple:
        options = ["--isolated", "--no-cache-dir", "--index-url", simple, "--dest", tmp_path / "files"]
        client("pip").run("python", "-m", "pip", "download", *options, "flask", "rich")
        known = {item.filename: item.sha256 for item in full_shop.stock}
        for path in (tmp_path / "files").iterdir():
            assert hashlib.sha256(path.read_bytes()).hexdigest() == known[path.name]

        news = publish(full_shop, client, tmp_path, "idna", "99.0")
        urllib.request.urlopen(urllib.request.Request(f"{simple}idna/refresh", method="POST"), timeout=120).close()
        client("pip").run("python", "-m", "pip", "download", *options, "idna==99.0")
        assert (tmp_path / "files" / news.name).read_bytes() == news.read_bytes()
