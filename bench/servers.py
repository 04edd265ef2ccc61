"""The two servers, each with one worker pinned to the first core, on free loopback ports."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.load import Loaded
from bench.wrk import family

_NGINX = """
daemon off;
worker_processes 1;
worker_cpu_affinity 01;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
{user}
events {{ worker_connections 16384; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    types {{ text/html html; application/vnd.pypi.simple.v1+json json; application/octet-stream whl; }}
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        root {root};
        gzip_static on;
    }}
}}
"""


@dataclass(slots=True)
class Server:
    """A running server: its address, its process, and the seconds it took until it answered."""

    url: str
    process: subprocess.Popen[bytes]
    seconds: float = 0.0

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def nginx(root: Path, folder: Path) -> Iterator[Server]:
    """nginx on the files below *root*."""
    port = free_port()
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, root=root, port=port, user=user))
    process = subprocess.Popen(_ending_with_us(["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf")]))
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        _wait(server.url + "/", (200, 403, 404))
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def packhouse(home: Path, database: str | None, port: int = 0, *, work: bool = False) -> Iterator[Server]:
    """``packhouse serve`` on *home* at *port* (a free one), one worker, pinned; logs go to a file in the home."""
    port = port or free_port()
    environment = os.environ | {"PACKHOUSE_LOG_LEVEL": "warning", "PACKHOUSE_ACCESS_LOG": "false"}
    if database:
        environment["PACKHOUSE_DATABASE"] = database
    command = ["taskset", "-c", "0", sys.executable, "-m", "packhouse.cli", "serve", "--home", str(home)]
    command += ["--port", str(port), "--workers", "1"] + ([] if work else ["--no-work"])
    began = time.monotonic()
    with (home / "bench.log").open("ab") as log:
        process = subprocess.Popen(_ending_with_us(command), env=environment, stdout=log, stderr=log)
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        _wait(server.url + "/_ready/", (200,))
        server.seconds = time.monotonic() - began
        yield server
    finally:
        server.stop()


def _ending_with_us(command: list[str]) -> list[str]:
    """*command*, told to end when this process is gone, however that came about (Linux)."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig=TERM", "--", *command] if setpriv else command


def _wait(url: str, wanted: tuple[int, ...], seconds: float = 300.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            status = urllib.request.urlopen(url, timeout=5).status
        except urllib.error.HTTPError as error:
            status = error.code
        except OSError:
            status = 0
        if status in wanted:
            return
        time.sleep(0.02)
    raise TimeoutError(f"{url} did not answer in {seconds:g} s")


def worker_memory(parent: int) -> int:
    """Resident bytes of the largest process below *parent*: the one that has served."""
    return max((_rss(pid) for pid in family(parent)), default=0)


def _rss(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0


@contextlib.contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database, durable as it comes, on a server of our own."""
    from tests.servers import postgresql as tests

    with tests.running(durable=True) as cluster:
        yield cluster.create_database("bench")


def load(home: Path, database: str | None, port: int, projects: int, files: int, catalogue: Path | None) -> Loaded:
    """Load a catalogue in a process of its own, so that this one stays small and can do so again.

    Links are written for the address that will be served at; else the start would have to write them all anew.
    """
    command = [sys.executable, "-m", "bench.load", str(home), str(projects), str(files), str(catalogue or "")]
    environment = environment_of(database) | {"PACKHOUSE_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    printed = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    return Loaded(**json.loads(printed.splitlines()[-1]))


def user(home: Path, database: str | None) -> None:
    """Makes the user ``bench`` (unless there is one), who owns the large project, by the operator's command line."""
    environment = environment_of(database)
    password = home / "bench-password"
    password.write_text("a long password for the benchmark\n")
    run = [sys.executable, "-m", "packhouse.cli"]
    user = [*run, "user", "create", "bench", "--email", "bench@example.org", "--password-file", str(password)]
    subprocess.run([*user, "--verified", "--superuser", "--home", str(home)], env=environment, check=False)
    own = [sys.executable, "-m", "bench.load", "--own", str(home), "bench", "bench-many-files"]
    subprocess.run(own, env=environment, check=True)


def token(home: Path, database: str | None) -> str:
    """An API token of that user."""
    make = [sys.executable, "-m", "packhouse.cli", "token", "create", "--user", "bench"]
    make += ["--description", f"bench {time.time_ns()}", "--home", str(home)]
    return _printed(make, database)


def session(home: Path, database: str | None) -> str:
    """The cookie of a session of that user."""
    return _printed([sys.executable, "-m", "bench.load", "--session", str(home), "bench"], database)


def _printed(command: list[str], database: str | None) -> str:
    found = subprocess.run(command, env=environment_of(database), check=True, capture_output=True, text=True)
    return found.stdout.strip().splitlines()[-1]


def environment_of(database: str | None) -> dict[str, str]:
    return os.environ | ({"PACKHOUSE_DATABASE": database} if database else {})
