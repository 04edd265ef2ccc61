"""A live index full of real distributions, and the clients that fill and read it."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.journeys import clients
from tests.journeys.clients import Clients
from tests.servers import packhouse, processes

SMALL = 1_500_000
"""Bytes: on PostgreSQL, only files up to this size are carried along."""
NO_LIMITS = {"PACKHOUSE_NEW_PROJECTS_PER_USER": "0", "PACKHOUSE_NEW_PROJECTS_PER_ADDRESS": "0"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys take their time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.timeout(1200))


@dataclass(frozen=True, slots=True)
class Distribution:
    """A file from the registry, as ``distributions.txt`` or ``popular.txt`` pins it."""

    project: str
    version: str
    path: Path
    sha256: str

    @property
    def filename(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Shop:
    """A live index, who may upload to it, and what it was filled with."""

    index: packhouse.Running
    token: str
    stock: tuple[Distribution, ...] = ()

    @property
    def simple(self) -> str:
        return f"{self.index.url}/simple/"

    @property
    def legacy(self) -> str:
        return f"{self.index.url}/legacy/"


def behind_tls(
    url: str, nginx_server: Callable[..., str], folder: Path, *, extensions: tuple[str, ...] = ()
) -> tuple[str, Path]:
    """Put TLS in front of *url*: the address of that, and the certificate to trust, with *extensions* of its own."""
    openssl, port = processes.program("openssl", package="openssl"), processes.free_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    made += [word for extension in ("subjectAltName=IP:127.0.0.1", *extensions) for word in ("-addext", extension)]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, "req", *made, *files], check=True, capture_output=True)
    tls = f"listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};"
    nginx_server(f"{tls} location / {{ proxy_pass {url}; }}")
    return f"https://127.0.0.1:{port}", certificate


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Clients:
    """``client("pip-19")`` is that client, with a home of its own."""
    return lambda name: clients.client(name, tmp_path_factory.mktemp(f"home-of-{name}"))


@pytest.fixture(scope="session")
def distributions(client: Clients) -> list[Distribution]:
    """Everything in ``distributions.txt``, downloaded once."""
    return fetched("distributions.txt", client)


def fetched(pins: str, client: Clients) -> list[Distribution]:
    """What the file *pins* of this folder lists, downloaded once."""
    folder, rows = clients.CACHE / "distributions", clients.table(pins)
    folder.mkdir(parents=True, exist_ok=True)
    with clients.alone("distributions"):
        if not all((folder / filename).exists() for _, filename, _ in rows):
            python = str(client("fetch").folder / "bin" / "python")
            clients.from_registry([python, str(clients.HERE / "fetch.py"), str(clients.HERE / pins), str(folder)])
    return [Distribution(*name.split("=="), folder / filename, sha256) for name, filename, sha256 in rows]


@pytest.fixture(scope="session")
def refusals() -> dict[str, tuple[int, str]]:
    """File name → status and reason with which today's rules refuse it, from ``refusals.txt``."""
    return {filename: (int(status), reason) for filename, status, reason in clients.table("refusals.txt")}


@contextmanager
def open_shop(request: pytest.FixtureRequest, home: Path, name: str) -> Iterator[Shop]:
    """An index over two worker processes, on the database of this run, and ada with a token."""
    database = None
    if request.config.getoption("--database") == "postgresql":
        database = request.getfixturevalue("postgres_server").create_database(name)
    with packhouse.running(home, database=database, workers=2, env=NO_LIMITS, migrates=True) as index:
        password = home / "password"
        password.write_text("a long password of the journeys")
        who = ("user", "create", "ada", "--email", "ada@example.org", "--superuser", "--verified")
        index.run_cli(*who, "--password-file", str(password))
        yield Shop(index, index.run_cli("token", "create", "--user", "ada", "--description", "journeys").stdout.strip())


@pytest.fixture(scope="module")
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An empty index for the tests of one module."""
    with open_shop(
        request, tmp_path_factory.mktemp("shop"), f"shop_{request.module.__name__.rpartition('.')[2]}"
    ) as it:
        yield it


@pytest.fixture(scope="session")
def full_shop(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    client: Clients,
    distributions: list[Distribution],
    refusals: dict[str, tuple[int, str]],
) -> Iterator[Shop]:
    """An index for all that only read it, filled with what the rules let in: half by twine, half by uv."""
    small = request.config.getoption("--database") == "postgresql"
    stock = [item for item in distributions if item.filename not in refusals]
    stock = [item for item in stock if not small or item.path.stat().st_size <= SMALL]
    with open_shop(request, tmp_path_factory.mktemp("full-shop"), "full_shop") as shop:
        fill(shop, stock, client)
        yield replace(shop, stock=tuple(stock))


def fill(shop: Shop, stock: list[Distribution], client: Clients) -> None:
    by_uv = [item for item in stock[::2] if "_rc_" not in item.filename]  # uv sends no version that is not normal
    by_twine = [item for item in stock if item not in by_uv]
    options = ["--repository-url", shop.legacy, "-u", "__token__", "-p", shop.token, "--disable-progress-bar"]
    client("twine").run("twine", "upload", "--non-interactive", *options, *(item.path for item in by_twine))
    options = ["--publish-url", shop.legacy, "--token", shop.token, "--trusted-publishing", "never"]
    client("uv").run("uv", "publish", *options, *(item.path for item in by_uv))
