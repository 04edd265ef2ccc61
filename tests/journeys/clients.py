"""The clients that people use, as ``clients.txt`` pins them, each in an environment of its own.

The environments are made once, by uv, from the registry that this machine is set up for, and kept in ``.cache``.  What
runs in them afterwards knows no registry but the one that it is told, and reaches no machine but this one.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from tests.servers import processes

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache"
AS_OF = "2026-11-20"
"""What the clients depend on is as it was on that day."""
NOWHERE = "http://127.0.0.1:9"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
NO_PROXIES = dict.fromkeys(PROXIES, "")
"""For clients that do not know ``no_proxy``."""
MAKING_SECONDS = 900
RUNNING_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Client:
    """A client's environment at ``folder``; ``home`` is what it takes for the home of its user."""

    folder: Path
    home: Path

    def run(
        self,
        command: str,
        *arguments: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment, with stdout and stderr as one text.  AssertionError with it on failure."""
        done = subprocess.run(
            [self.folder / "bin" / command, *arguments],
            cwd=cwd or self.home,
            env=self.environment() | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUNNING_SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command} {arguments}\n{done.stdout[-6000:]}"
        return done

    def environment(self) -> dict[str, str]:
        """No configuration of this machine, no keyring, no way out: proxies that nobody serves stand before it."""
        return {
            "PATH": os.pathsep.join([str(self.folder / "bin"), "/usr/bin", "/bin"]),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "LANG": "C.UTF-8",
            "COLUMNS": "400",
            "NO_COLOR": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "UV_PYTHON": str(self.folder / "bin" / "python"),
            "UV_PYTHON_DOWNLOADS": "never",
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PDM_CHECK_UPDATE": "0",
            **dict.fromkeys(PROXIES, NOWHERE),
            **dict.fromkeys(["no_proxy", "NO_PROXY"], "127.0.0.1,localhost"),
        }


def client(name: str, home: Path) -> Client:
    """The client that ``clients.txt`` calls *name*.

    Where it cannot be made (no network, no such Python): a visible skip for a person, a failure in CI.
    """
    python, requirements = pinned()[name]
    digest = hashlib.sha256(" ".join([sys.version, AS_OF, python, *requirements]).encode()).hexdigest()[:12]
    folder = CACHE / "clients" / f"{name}-{digest}"
    home.mkdir(parents=True, exist_ok=True)
    with alone(f"client-{name}"):
        if not (folder / "ready").exists():
            _make(folder, interpreter(python), requirements)
    return Client(folder, home)


def pinned() -> dict[str, tuple[str, list[str]]]:
    """What ``clients.txt`` says: Python and requirements of each client."""
    return {name: (python, requirements) for name, python, *requirements in table("clients.txt")}


def table(name: str) -> list[list[str]]:
    """The rows of a text file in this folder: words between blanks; a line that begins with ``#`` is a remark."""
    return [line.split() for line in (HERE / name).read_text().splitlines() if not line.startswith("#")]


def interpreter(wanted: str) -> str:
    """A Python on this machine: that of the tests for ``*``, for ``3.12+`` that or a later one."""
    if wanted == "*":
        return sys.executable
    least = int(wanted.removeprefix("3.").removesuffix("+"))
    if sys.version_info >= (3, least):
        return sys.executable
    for minor in range(least, least + 8):
        for candidate in _pythons(f"3.{minor}"):
            if subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
                return candidate
    return missing(f"Python {wanted} is not installed")


def _pythons(version: str) -> Iterator[str]:
    if found := shutil.which(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def _make(folder: Path, python: str, requirements: list[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    from_registry([_uv(), "venv", "--quiet", "--python", python, str(folder)])
    install = [_uv(), "--system-certs", "pip", "install", "--quiet", "--exclude-newer", AS_OF]
    from_registry([*install, "--python", str(folder / "bin" / "python"), *requirements])
    (folder / "ready").touch()


def _uv() -> str:
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if beside.exists() else processes.program("uv", package="pipx, and pipx install uv")


def from_registry(command: list[str]) -> None:
    """Run what needs the registry that this machine is set up for."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=MAKING_SECONDS, check=False)
    if done.returncode:
        missing(f"no registry within reach: {' '.join(command[:3])} …\n{done.stderr[-1500:]}")


def missing(message: str) -> NoReturn:
    """End the test: failed in CI, where everything must be there, else skipped."""
    if processes.in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def alone(what: str) -> Iterator[None]:
    """One process of the tests at a time does *what*."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


Clients = Callable[[str], Client]
