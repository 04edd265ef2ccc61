"""``packhouse serve`` as an operator sees it: what it starts, what it survives, how it stops."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote, urljoin

import psycopg
import pytest
from tests.builders import make_wheel
from tests.faults.publishing import new_token, new_upload, send
from tests.servers import packhouse, processes
from tests.servers.packhouse import Running
from tests.servers.processes import command, descendants
from tests.uploads.publishing import BOUNDARY, body_of, credentials, fields_for

from packhouse.cli.supervisor import STEADY

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def alive(pids: list[int]) -> list[int]:
    return [pid for pid in pids if command(pid)]


def soon(what: Callable[[], object], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return False


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def half_sent(index: Running) -> socket.socket:
    """A request whose body is under way."""
    port = int(index.url.rpartition(":")[2])
    client = socket.create_connection(("127.0.0.1", port), timeout=60)
    client.sendall(b"POST /_ready/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
    return client


def test_a_fresh_home_is_served_on_loopback_and_says_how_to_begin(live_server_process: Running) -> None:
    index = live_server_process
    printed = index.printed()
    assert f"at {index.url}" in printed
    link = next(word for word in printed.split() if "/setup/" in word)
    assert link.startswith(f"{index.url}/setup/")
    assert link.rpartition("/")[2] not in (index.home / "secrets" / "setup-token").read_text()
    port = int(index.url.rpartition(":")[2])
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert {address.partition(":")[0] for address in listening if int(address[-4:], 16) == port} == {"0100007F"}

    canary = "canary0123456789"
    claims = {"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9", "Host": "elsewhere.example"}
    secrets = {"Authorization": f"Basic {canary}", "Cookie": f"sessionid={canary}", "User-Agent": "pip/1\\n{canary}"}
    for path in ("_ready/", f"setup/{canary}", "simple/x/"):
        request = urllib.request.Request(f"{index.url}/{path}?token={canary}", headers=claims | secrets)
        with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 200

    taken = packhouse.run_cli(index.home, "serve", "--port", str(port), check=False)
    assert taken.returncode == 1
    assert f"cannot listen on 127.0.0.1, port {port}" in taken.stderr

    assert index.stop() == 0
    assert list((index.home / "run").glob("[0-9]*")) == []
    lines = [json.loads(line) for line in index.printed().splitlines() if '"event":"request"' in line]
    assert {line["path"] for line in lines} >= {"/_ready/", "/setup/(hidden)", "/simple/x/"}
    assert {line["client"] for line in lines} == {"127.0.0.1"}
    assert canary not in index.printed()


def test_no_log_holds_a_credential_however_it_came(tmp_path: Path, live_database: str | None) -> None:
    with packhouse.running(tmp_path / "home", database=live_database, env={"PACKHOUSE_LOG_LEVEL": "debug"}) as index:
        password = "a password that is in no log"
        (tmp_path / "password").write_text(password)
        who = ("ada", "--email", "ada@example.org", "--superuser", "--verified")
        index.run_cli("user", "create", *who, "--password-file", str(tmp_path / "password"))
        token = index.run_cli("token", "create", "--user", "ada", "--description", "logs").stdout.strip()

        def send(path: str, body: bytes | None = None, **headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            request = urllib.request.Request(f"{index.url}{path}", data=body, headers=named)
            try:
                return int(urllib.request.urlopen(request, timeout=60).status)
            except urllib.error.HTTPError as error:
                return error.code

        file = make_wheel()
        fields = list(fields_for(*file).items())
        form = body_of([*fields, ("content", (*file, "application/octet-stream"))])
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        assert send("/legacy/", form, Authorization=credentials(token), Content_Type=kind) == 200
        assert send("/legacy/", form, Authorization=f"Bearer {token}", Content_Type=kind) == 200
        for spoiled in (
            f"Bearer {token[:-9]}",
            f"Digest {token}",
            credentials(password, username="ada"),
            f"token {token}x",
        ):
            assert send("/legacy/", form, Authorization=spoiled, Content_Type=kind) == 403
        odd = body_of([*fields, ("comment", token), ("content", (f"{token}.whl", b"", "x/y"))])
        assert send("/legacy/", odd, Authorization=credentials(token), Content_Type=kind) == 400
        for path in (
            f"/{token}",
            f"/simple/?token={token}",
            f"/search/?q={token}",
            f"/account/reset-password/?token={token}",
        ):
            send(path, Referer=f"{index.url}/{token}", Cookie=f"session={token}", User_Agent=f"pip/26.3 {token}")
        send("/account/login/", f"username=ada&password={password}".encode(), Cookie=f"csrf={token}")
        send("/pypi", f"<methodCall><methodName>{token}</methodName></methodCall>".encode(), Content_Type="text/xml")
        index.stop()
        printed = index.printed()
    assert printed.count('"event":"request"') >= 12
    signature = token[-43:]
    found = [
        line for line in printed.splitlines() if signature[:-9] in line or password in line or quote(password) in line
    ]
    assert found == []


def test_what_is_killed_is_started_again(live_server_process: Running) -> None:
    index = live_server_process

    def task_workers() -> list[int]:
        return [pid for pid, line in descendants(index.process.pid).items() if "cli work" in line]

    def is_whole() -> bool:
        return packhouse.front(index).is_whole(1) and len(task_workers()) == 1

    def replaced(killed: set[int]) -> bool:
        here = packhouse.front(index)
        return is_whole() and not {*here.workers, *here.standbys, *task_workers()} & killed

    assert soon(is_whole)
    for _ in range(2):
        here = packhouse.front(index)
        killed = {*here.workers, *here.standbys, *task_workers()}
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        assert soon(lambda killed=killed: replaced(killed))
        assert packhouse.front(index).master == here.master
        assert soon(lambda: status(f"{index.url}/_ready/") == 200)


def test_who_stands_by_takes_the_place_of_a_server_that_is_killed(live_server_process: Running) -> None:
    index = live_server_process
    for _ in range(3):
        assert soon(lambda: packhouse.front(index).is_whole(1))
        here = packhouse.front(index)
        os.kill(here.master, signal.SIGKILL)
        assert soon(lambda here=here: packhouse.front(index).master not in {0, here.master})
        assert packhouse.front(index).master == here.standbys[0]
        assert f"process {here.standbys[0]}, which stood by, takes its place" in index.printed()
        assert status(f"{index.url}/_ready/") == 200
    assert soon(lambda: packhouse.front(index).is_whole(1))
    below = list(descendants(index.process.pid))
    assert index.stop() == 0
    assert soon(lambda: alive(below) == [])


def test_a_client_that_comes_when_the_server_has_died_waits_for_who_takes_its_place(
    live_server_process: Running,
) -> None:
    index = live_server_process
    assert soon(lambda: packhouse.front(index).is_whole(1))
    here = packhouse.front(index)
    os.kill(index.process.pid, signal.SIGSTOP)  # so that the one who stands by is not yet told
    try:
        for pid in (here.master, *here.workers):
            os.kill(pid, signal.SIGKILL)
        port = int(index.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(b"GET /_health/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            os.kill(index.process.pid, signal.SIGCONT)
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
    finally:
        os.kill(index.process.pid, signal.SIGCONT)


def test_without_anybody_who_stands_by_the_server_is_begun_from_nothing(live_server_process: Running) -> None:
    index = live_server_process
    assert soon(lambda: packhouse.front(index).is_whole(1))
    here = packhouse.front(index)
    os.kill(index.process.pid, signal.SIGSTOP)
    for pid in (here.master, *here.standbys):
        os.kill(pid, signal.SIGKILL)
    os.kill(index.process.pid, signal.SIGCONT)
    assert soon(lambda: packhouse.front(index).is_whole(1))
    assert packhouse.front(index).master not in {here.master, *here.standbys}
    assert status(f"{index.url}/_ready/") == 200


def worn_out(index: Running) -> packhouse.Front | None:
    """Kill the server, and then end each worker of its successor until that gives up: who it was.

    None when a worker has lived so long, on a busy machine, that it does not.
    """
    assert soon(lambda: packhouse.front(index).is_whole(1))
    before = packhouse.front(index)
    os.kill(before.master, signal.SIGKILL)
    assert soon(lambda: packhouse.front(index).master not in {0, before.master})
    here, until = packhouse.front(index), time.monotonic() + 20
    while alive([here.master]) and time.monotonic() < until:
        for pid in packhouse.front(index).workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGALRM)  # not SIGKILL, which nobody brings upon themselves
    return None if alive([here.master]) else here


def test_a_server_that_gives_up_is_begun_from_nothing(live_server_process: Running) -> None:
    """What its workers cannot live with may be what they were forked with."""
    index = live_server_process
    time.sleep(STEADY)  # one that never stayed up would not be started again
    gone = next((found for _ in range(5) if (found := worn_out(index))), None)
    assert gone
    assert soon(lambda: packhouse.front(index).is_whole(1))
    assert "server ended with status 3" in index.printed()
    assert packhouse.front(index).master not in {gone.master, *gone.standbys}
    assert status(f"{index.url}/_ready/") == 200


def test_requests_under_way_finish_while_readiness_fails_and_new_connections_are_refused(
    tmp_path: Path, live_database: str | None
) -> None:
    with packhouse.running(tmp_path / "home", database=live_database, env={"PACKHOUSE_DRAIN_NOTICE": "5"}) as index:
        with half_sent(index) as client:
            index.process.send_signal(signal.SIGTERM)
            assert soon(lambda: status(f"{index.url}/_ready/") == 503)
            assert soon(lambda: status(f"{index.url}/_health/") == 0)
            client.sendall(b"67890")
            assert client.recv(1000).startswith(b"HTTP/1.1 40")
        assert index.process.wait(60) == 0


def test_who_tells_it_to_stop_while_it_still_prepares_is_heeded(tmp_path: Path, live_database: str | None) -> None:
    home = tmp_path / "home"
    serve = [*packhouse.COMMAND, "serve", "--home", str(home), "--port", str(processes.free_port())]
    with subprocess.Popen(serve, env=packhouse.environment(home, live_database)) as process:
        try:
            assert soon(lambda: any("cli.front" in line for line in descendants(process.pid).values()))
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert list((home / "run").glob("[0-9]*")) == []


def test_downloads_of_the_last_minute_are_counted_when_it_is_told_to_stop(live_server_process: Running) -> None:
    index = live_server_process
    upload = new_upload(0)
    assert send(index.url, new_token(index), upload.body())[0] == 200
    with urllib.request.urlopen(f"{index.url}/simple/{upload.project}/", timeout=60) as page:
        link = next(part for part in page.read().decode().split('"') if upload.filename in part)
    for _ in range(3):
        with urllib.request.urlopen(urljoin(f"{index.url}/simple/x/", link), timeout=60) as answer:
            assert answer.read() == upload.content
    assert index.stop() == 0
    connect = psycopg.connect if index.database else sqlite3.connect
    with closing(connect(index.database or index.home / "packhouse.db")) as database:
        assert database.execute("SELECT number FROM downloads_downloads").fetchall() == [(3,)]


def test_a_second_signal_ends_everything_at_once(live_server_process: Running) -> None:
    index = live_server_process
    below = list(descendants(index.process.pid))
    with half_sent(index):
        index.process.send_signal(signal.SIGINT)
        assert soon(lambda: status(f"{index.url}/_health/") == 0)
        index.process.send_signal(signal.SIGINT)
        index.process.wait(30)
    assert soon(lambda: alive(below) == [])


def test_nothing_outlives_a_supervisor_that_is_killed(live_server_process: Running) -> None:
    index = live_server_process
    assert soon(lambda: any("queue.lane" in line for line in descendants(index.process.pid).values()))
    below = list(descendants(index.process.pid))
    index.process.kill()
    index.process.wait()
    assert soon(lambda: alive(below) == [])


def test_a_start_that_cannot_succeed_ends_with_a_reason(tmp_path: Path) -> None:
    unreachable = f"postgresql://nobody@127.0.0.1:{processes.free_port()}/nothing"
    serve = ("serve", "--port", str(processes.free_port()))
    done = packhouse.run_cli(tmp_path / "home", *serve, database=unreachable, check=False)
    assert done.returncode == 1
    assert "cannot prepare the database" in done.stderr
    assert "Traceback" not in done.stderr


def test_metrics_of_all_processes_are_on_their_own_port(tmp_path: Path, live_database: str | None) -> None:
    port = processes.free_port()
    with packhouse.running(
        tmp_path / "home", database=live_database, env={"PACKHOUSE_METRICS_PORT": str(port)}
    ) as index:

        def scraped() -> str:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
                    return str(answer.read().decode())
            except OSError:  # the server may be ready a moment before that port is
                return ""

        assert soon(lambda: 'packhouse_process_resident_bytes{pid="' in scraped())
        assert status(f"http://127.0.0.1:{port}/") == 404
        assert status(f"{index.url}/metrics") == 404
