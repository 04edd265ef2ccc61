"""An nginx of the tests' own, configured by each test."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import processes

TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@contextmanager
def running(server_block: str, *, http: str = "") -> Iterator[str]:
    """The URL of an nginx with *server_block* inside its one ``server`` and *http* inside ``http``.

    ``{port}`` is not needed in them: the server listens on a free loopback port.
    """
    nginx, port = processes.program("nginx", package="nginx-light"), processes.free_port()
    with tempfile.TemporaryDirectory(prefix="packhouse-nginx-") as name:
        folder = Path(name)
        (folder / "nginx.conf").write_text(_configuration(folder, port, server_block, http))
        server = processes.start(
            [nginx, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"],
            log=folder / "log",
            ready=lambda: processes.listens(port),
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop()


def _configuration(folder: Path, port: int, server_block: str, http: str) -> str:
    temporary = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in TEMPORARY)
    return f"""
daemon off;
pid {folder}/pid;
worker_processes 1;
{"user root;" if os.geteuid() == 0 else ""}
error_log stderr;
events {{ worker_connections 256; }}
http {{
    access_log off;
{temporary}
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server_block}
    }}
}}
"""
