"""A Varnish of the tests' own, configured by what ``packhouse vcl`` prints."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.servers import processes

MODULES = ("/usr/lib", "/usr/local/lib", "/usr/lib64")
MODULE = "varnish/vmods/libvmod_xkey.so"


def require() -> str:
    """The path of ``varnishd``, where it and its module xkey are there."""
    program = processes.program("varnishd", package="varnish")
    if any(found for folder in MODULES for found in Path(folder).glob(f"*/{MODULE}")):
        return program
    message = "Varnish lacks its module xkey (Debian: apt-get install varnish-modules)"
    if processes.in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@contextmanager
def running(vcl: str, *, port: int = 0) -> Iterator[str]:
    """The URL of an empty Varnish with the configuration *vcl*, on a free loopback port unless told which."""
    varnishd, port = require(), port or processes.free_port()
    with tempfile.TemporaryDirectory(prefix="packhouse-varnish-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # its worker may run as somebody else
        (folder / "default.vcl").write_text(vcl)
        jail = ["-j", "none"] if os.geteuid() == 0 else []
        small = ["-s", "malloc,64m", "-p", "thread_pool_min=10", "-p", "thread_pools=1", "-T", "none", "-n", name]
        server = processes.start(
            [varnishd, "-F", "-a", f"127.0.0.1:{port}", "-f", folder / "default.vcl", *jail, *small],
            log=folder / "log",
            ready=lambda: processes.listens(port),
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.stop()
