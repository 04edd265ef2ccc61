"""The server process: it holds the sockets and forks the workers that serve.

``python -m packhouse.cli.front`` is started by the supervisor, which hands it the whole configuration in the
environment; see docs/decisions/0008-server-process.md.
"""

import gc
import os
import resource
import socket
import sys
from collections.abc import Callable

from packhouse import config
from packhouse.base import logs, metrics, running
from packhouse.cli.supervisor import HOPELESS
from packhouse.server import master, worker

KEPT_FILES = 512
"""Descriptors of a worker that are not for connections: databases, files being sent, spools."""


def main() -> None:
    """Serves until SIGTERM."""
    running.end_with_parent()
    settings = config.load()
    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)
    limits = worker.Limits(
        head_bytes=settings.max_header_size,
        head_seconds=settings.header_timeout,
        send_seconds=settings.idle_timeout,
        connections=connections(),
    )
    sockets = master.listen(settings.host.strip("[]"), settings.port, settings.workers)

    preload()

    def work(listening: socket.socket, ready: Callable[[], None]) -> None:
        """One worker."""
        running.end_with_parent()
        metrics.start("server")
        from packhouse.dataplane.rsgi import application  # noqa: PLC0415 (made here, after the fork)

        worker.work(application, listening, limits, ready)

    status = master.Master(sockets, work, settings.drain_seconds or 1).run()
    sys.exit(HOPELESS if status else 0)


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
