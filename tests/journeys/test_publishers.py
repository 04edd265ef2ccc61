"""Each client that publishes builds a project of its own, publishes it, and pip installs it."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.builders import make_sdist, make_wheel
from tests.journeys.clients import Client, Clients
from tests.journeys.conftest import Shop

PROJECT = """\
[project]
name = "by-{name}"
version = "1.0"
description = "Made and published by {name} - with much to say"
readme = "README.md"
requires-python = ">=3.9,<4"
license = "MIT"
license-files = ["LICENSE"]
authors = [{{ name = "Ada Lovelace", email = "ada@example.org" }}, {{ name = "Grace Hopper" }}]
maintainers = [{{ name = "Änne Beispiel", email = "aenne@example.org" }}]
keywords = ["one", "two words", "drei"]
classifiers = ["Topic :: Software Development", "Programming Language :: Python :: 3"]
dependencies = ["packaging[a,b] >=24, !=24.1 ; python_version < '3'"]

[project.optional-dependencies]
More_Tests = ["pytest>=7; os_name == 'nt'"]

[project.urls]
Homepage = "https://example.org/"
"Issue tracker" = "https://example.org/issues?a=b&c=d"
"""
README = "# Title\n\n| a | b |\n|---|---|\n| ü | ☃ |\n\n    code\n\n\nThe end, without a line's end"
METADATA = """\
Metadata-Version: 2.4
Name: by-{name}
Version: 1.0
Summary: Made and published by {name} - with much to say
Author: Grace Hopper
Author-email: Ada Lovelace <ada@example.org>
Maintainer-email: Änne Beispiel <aenne@example.org>
License-Expression: MIT
License-File: LICENSE
Keywords: one,two words,drei
Classifier: Topic :: Software Development
Classifier: Programming Language :: Python :: 3
Requires-Python: >=3.9,<4
Requires-Dist: packaging[a,b]!=24.1,>=24; python_version < "3"
Provides-Extra: more-tests
Requires-Dist: pytest>=7; (os_name == "nt") and extra == "more-tests"
Project-URL: Homepage, https://example.org/
Project-URL: Issue tracker, https://example.org/issues?a=b&c=d
Description-Content-Type: text/markdown

{readme}"""
BACKENDS = {
    "flit": ("flit_core>=4", "flit_core.buildapi"),
    "poetry": ("poetry-core>=2", "poetry.core.masonry.api"),
}


def project(folder: Path, name: str) -> Path:
    """A project to publish, for a client that builds it itself."""
    package = folder / "src" / f"by_{name}"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f'"""By {name}."""\n')
    requirement, backend = BACKENDS[name]
    (folder / "README.md").write_text(README)
    (folder / "LICENSE").write_text("MIT\n")
    build = f'\n[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{backend}"\n'
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name) + build)
    return folder


def built(folder: Path, name: str) -> list[Path]:
    """A wheel and an sdist to publish, for a client that takes them as they are."""
    (folder / "dist").mkdir(exist_ok=True)
    rich = {"metadata": METADATA.format(name=name, readme=README), "licenses": {"LICENSE": b"MIT\n"}}
    files = [make_wheel(name=f"by-{name}", version="1.0", **rich), make_sdist(name=f"by-{name}", version="1.0", **rich)]
    for filename, content in files:
        (folder / "dist" / filename).write_bytes(content)
    return [folder / "dist" / filename for filename, _ in files]


def by_twine(twine: Client, shop: Shop, folder: Path) -> None:
    rc = f"[distutils]\nindex-servers = ours\n[ours]\nrepository = {shop.legacy}\nusername = __token__\n"
    (twine.home / ".pypirc").write_text(f"{rc}password = {shop.token}\n")
    twine.run("twine", "upload", "-r", "ours", *built(folder, "twine"))


def by_uv(uv: Client, shop: Shop, folder: Path) -> None:
    published = {"UV_PUBLISH_URL": shop.legacy, "UV_PUBLISH_TOKEN": shop.token}
    uv.run("uv", "publish", *built(folder, "uv"), env=published)


def by_poetry(poetry: Client, shop: Shop, folder: Path) -> None:
    project(folder, "poetry")
    poetry.run("poetry", "config", "repositories.ours", shop.legacy)
    ours = {"POETRY_PYPI_TOKEN_OURS": shop.token}
    poetry.run("poetry", "publish", "--build", "-r", "ours", "--no-interaction", cwd=folder, env=ours)


def by_pdm(pdm: Client, shop: Shop, folder: Path) -> None:
    built(folder, "pdm")
    (folder / "pyproject.toml").write_text(PROJECT.format(name="pdm"))
    (folder / "README.md").write_text(README)
    (folder / "LICENSE").write_text("MIT\n")
    options = ["--repository", shop.legacy, "--username", "__token__", "--password", shop.token]
    pdm.run("pdm", "publish", "--no-build", *options, cwd=folder)


def by_hatch(hatch: Client, shop: Shop, folder: Path) -> None:
    files = built(folder, "hatch")
    hatch.run("hatch", "publish", "-n", "-r", shop.legacy, "-u", "__token__", "-a", shop.token, *files, cwd=folder)


def by_flit(flit: Client, shop: Shop, folder: Path) -> None:
    project(folder, "flit")
    ours = {"FLIT_INDEX_URL": shop.legacy, "FLIT_USERNAME": "__token__", "FLIT_PASSWORD": shop.token}
    flit.run("flit", "publish", cwd=folder, env=ours)


Publishing = Callable[[Client, Shop, Path], None]
PUBLISHING: dict[str, Publishing] = {
    "twine": by_twine,
    "uv": by_uv,
    "poetry": by_poetry,
    "pdm": by_pdm,
    "hatch": by_hatch,
    "flit": by_flit,
}


@pytest.mark.parametrize("name", PUBLISHING)
def test_what_a_client_publishes_can_be_installed(shop: Shop, client: Clients, tmp_path: Path, name: str) -> None:
    PUBLISHING[name](client(name), shop, tmp_path)
    pip, site = client("pip"), tmp_path / "site"
    options = ["--isolated", "--no-cache-dir", "--index-url", shop.simple, "--target", site]
    pip.run("python", "-m", "pip", "install", *options, f"by-{name}")
    shown = pip.run("python", "-m", "pip", "list", "--isolated", "--path", site).stdout
    assert f"by-{name}" in shown.replace("_", "-")
    versions = pip.run("python", "-m", "pip", "index", "versions", f"by-{name}", "--index-url", shop.simple).stdout
    assert "Available versions: 1.0" in versions
    with urllib.request.urlopen(f"{shop.index.url}/pypi/by-{name}/json", timeout=120) as answer:
        about = json.load(answer)["info"]
    assert about["description"].split() == README.split()
    assert about["license_expression"] == "MIT"
    assert about["project_urls"]["Issue tracker"] == "https://example.org/issues?a=b&c=d"
