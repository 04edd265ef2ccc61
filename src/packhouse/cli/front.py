"""The server process: it holds the sockets and forks the workers that serve.

``python -m packhouse.cli.front`` is started by the supervisor, which hands it the whole configuration in the
environment; see docs/decisions/0008-server-process.md.
"""

import argparse
import functools
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable

from packhouse import config
from packhouse.base import logs, metrics, running
from packhouse.cli import standby
from packhouse.cli.supervisor import HOPELESS, NOBODY_YET, tell
from packhouse.server import master, worker
from packhouse.server.neighbours import Neighbours

KEPT_FILES = 512
"""Descriptors of a worker that are not for connections: databases, files being sent, spools."""


def main() -> None:
    """Serves until SIGTERM."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there are workers that could be replaced
    running.end_with_parent()
    asked = parser().parse_args()
    settings = config.load()
    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)
    limits = worker.Limits(
        head_bytes=settings.max_header_size,
        head_seconds=settings.header_timeout,
        send_seconds=settings.idle_timeout,
        connections=connections(),
    )
    preload()
    if asked.prepare is not None:
        prepare(settings, asked.prepare)
    sockets = master.listen(settings.host.strip("[]"), settings.port, settings.workers)
    neighbours = Neighbours(len(sockets)) if len(sockets) > 1 else None
    line = None if asked.standby is None else socket.socket(fileno=asked.standby)

    def work(listening: socket.socket, ready: Callable[[], None]) -> None:
        """One worker."""
        running.end_with_parent()
        if line:
            line.close()
        metrics.start("server")
        from packhouse.dataplane.rsgi import application  # noqa: PLC0415 (made here, after the fork)

        door = neighbours.at(sockets.index(listening)) if neighbours else None
        worker.work(application, listening, limits, ready, door)

    wait_for_turn = functools.partial(standby.wait_for_turn, line) if line else None
    status = master.Master(sockets, work, settings.drain_seconds or 1, wait_for_turn).run()
    sys.exit(HOPELESS if status else 0)


def parser() -> argparse.ArgumentParser:
    """What the supervisor may say beside the configuration."""
    options = argparse.ArgumentParser(prog="packhouse.cli.front")
    options.add_argument("--prepare", type=int, metavar="FD", help="bring the database up to date first; say so there")
    options.add_argument("--standby", type=int, metavar="FD", help="keep a process that can take this one's place")
    return options


def preload() -> None:
    """Imports what every worker needs.  Workers are forked from this process: they share that memory and start at once.

    Nothing is opened here and no thread is started: a child would inherit the one by halves and not have the other.
    """
    import packhouse.dataplane.rsgi  # noqa: F401, PLC0415 (the configuration comes first)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "packhouse.settings")
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415
    from django.urls import get_resolver  # noqa: PLC0415

    get_wsgi_application()
    get_resolver().url_patterns  # noqa: B018 (imports the views)
    gc.collect()
    gc.freeze()  # what is never collected is never written to, and stays shared


def prepare(settings: config.Config, told: int) -> None:
    """Migrates, in a fork that ends, so that the workers inherit no connection; then tells so on the descriptor *told*.

    Ends this process when that fails: what could be read in the database would not be what the code expects.
    """
    pid = os.fork()
    if pid == 0:
        os.close(told)
        os._exit(_prepare(settings))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status not in {0, NOBODY_YET}:
        sys.exit(HOPELESS)
    os.write(told, str(status).encode())
    os.close(told)


def _prepare(settings: config.Config) -> int:
    from packhouse.accounts.models import User  # noqa: PLC0415 (Django has been started by now)
    from packhouse.cli import session  # noqa: PLC0415

    try:
        session.migrate(settings.home)
        return 0 if User.objects.exists() else NOBODY_YET
    except Exception as error:  # noqa: BLE001 (whatever it is, the operator must read it and the start must end)
        tell(f"cannot prepare the database: {error}")
        return 1


def connections() -> int:
    """How many connections each worker may hold: three quarters of the descriptors that the system lets a process have,
    once asked for.  A download holds its socket twice, and the file; where no more can be opened it gets a 503.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    room = min(hard, 1024**2) if hard != resource.RLIM_INFINITY else 1024**2
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
    return max((room - KEPT_FILES) * 3 // 4, room // 3)


if __name__ == "__main__":
    main()
