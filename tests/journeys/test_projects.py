"""Project managers resolve, lock and install from Packhouse alone."""

from pathlib import Path

from tests.journeys.clients import Clients
from tests.journeys.conftest import Shop

MANIFEST = """\
[project]
name = "mine"
version = "1.0"
description = "An application"
requires-python = ">=3.11,<3.12"
dependencies = ["flask", "rich>=15"]
"""
LOCKED = ["flask-3.1.3-py3-none-any.whl", "werkzeug-3.1.9-py3-none-any.whl", "markdown_it_py-4.3.0-py3-none-any.whl"]


def locked(lock: Path, shop: Shop) -> None:
    """The lock file names the files of this index, by the digests that they have."""
    text = lock.read_text()
    known = {item.filename: item.sha256 for item in shop.stock}
    assert [name for name in LOCKED if known[name] not in text] == []


def test_poetry_locks_and_installs(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    source = f'\n[[tool.poetry.source]]\nname = "ours"\nurl = "{full_shop.simple}"\npriority = "primary"\n'
    (tmp_path / "pyproject.toml").write_text(f"{MANIFEST}\n[tool.poetry]\npackage-mode = false\n{source}")
    poetry, inside = client("poetry"), {"POETRY_VIRTUALENVS_IN_PROJECT": "true"}
    poetry.run("poetry", "lock", "--no-interaction", cwd=tmp_path)
    locked(tmp_path / "poetry.lock", full_shop)
    poetry.run("poetry", "install", "--no-interaction", cwd=tmp_path, env=inside)
    poetry.run("poetry", "run", "python", "-c", "import flask, rich", cwd=tmp_path, env=inside)


def test_pdm_locks_and_installs(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"{MANIFEST}\n[tool.pdm]\ndistribution = false\n")
    pdm, ours = client("pdm"), {"PDM_PYPI_URL": full_shop.simple}
    pdm.run("pdm", "lock", cwd=tmp_path, env=ours)
    locked(tmp_path / "pdm.lock", full_shop)
    pdm.run("pdm", "sync", cwd=tmp_path, env=ours)
    pdm.run("pdm", "run", "python", "-c", "import flask, rich", cwd=tmp_path, env=ours)


def test_uv_locks_and_installs(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"{MANIFEST}\n[tool.uv]\npackage = false\n")
    uv, ours = client("uv"), {"UV_DEFAULT_INDEX": full_shop.simple, "UV_NO_CONFIG": "0"}
    uv.run("uv", "sync", cwd=tmp_path, env=ours)
    locked(tmp_path / "uv.lock", full_shop)
    uv.run("uv", "run", "--offline", "python", "-c", "import flask, rich", cwd=tmp_path, env=ours)


def test_hatch_makes_an_environment(full_shop: Shop, client: Clients, tmp_path: Path) -> None:
    build = '\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    (tmp_path / "pyproject.toml").write_text(MANIFEST + build)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    ours = {"PIP_INDEX_URL": full_shop.simple, "UV_DEFAULT_INDEX": full_shop.simple}
    client("hatch").run("hatch", "run", "python", "-c", "import flask, rich, mine", cwd=tmp_path, env=ours)
