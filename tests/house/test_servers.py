"""The servers that tests start are real, and the guard around the machine holds."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import psycopg
import pytest
import redis
from tests.servers import processes


def test_a_cluster_of_postgresql_makes_databases(postgres_server):
    urls = {postgres_server.create_database("house") for _ in range(2)}
    assert len(urls) == 2
    for url in urls:
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT current_database()").fetchone()[0].startswith("house_")


def test_a_redis_answers(redis_server):
    with redis.Redis.from_url(redis_server) as client:
        assert client.set("house", "here")
        assert client.get("house") == b"here"


def test_an_nginx_serves_what_the_test_configures(nginx_server, tmp_path):
    (tmp_path / "page").write_text("hello")
    tmp_path.chmod(0o755)
    url = nginx_server(f"location /files/ {{ alias {tmp_path}/; }}")
    with urllib.request.urlopen(f"{url}/files/page") as response:
        assert response.read() == b"hello"


def test_a_connection_to_another_machine_fails():
    with socket.socket() as outside, pytest.raises(pytest.fail.Exception, match="not this machine"):
        outside.connect(("192.0.2.1", 80))


@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_server_is_a_skip_for_a_person_and_a_failure_in_ci(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install nonesuch"):
        processes.program("nonesuch-server", package="nonesuch")


def test_a_server_that_ends_at_once_says_what_it_printed(tmp_path):
    with pytest.raises(RuntimeError, match="no such setting"):
        processes.start(["sh", "-c", "echo no such setting; exit 1"], log=tmp_path / "log", ready=lambda: False)


BENCH = """
import pathlib, signal, sys
from bench import servers
folder = pathlib.Path(sys.argv[1])
with servers.nginx(folder, folder) as server:
    print(server.process.pid, flush=True)
    signal.pause()
"""


def test_a_bench_that_is_killed_leaves_no_server_behind(tmp_path):
    program = Path(processes.program("nginx", package="nginx")).parent
    processes.program("setpriv", package="util-linux")
    env = os.environ | {"PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", BENCH, tmp_path], env=env, stdout=subprocess.PIPE, text=True) as bench:
        pid = int(bench.stdout.readline())
        assert "nginx" in processes.command(pid)
        bench.kill()
    gone = threading.Event()
    for _ in range(1200):
        if "nginx" not in processes.command(pid):
            break
        gone.wait(0.05)
    assert "nginx" not in processes.command(pid)
