"""The servers that tests start are real, and the guard around the machine holds."""

import socket
import urllib.request

import psycopg
import pytest
import redis


def test_a_cluster_of_postgresql_makes_databases(postgres_server):
    with psycopg.connect(postgres_server.create_database("house")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("house",)


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
