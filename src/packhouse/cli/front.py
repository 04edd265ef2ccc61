"""The server process: granian in front of the data plane, with its workers.

``python -m packhouse.cli.front`` is started by the supervisor, which hands it the whole configuration in the
environment; see docs/decisions/0008-server-process.md for why each of granian's options stands as it does.
"""

import gc
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from packhouse import config
from packhouse.base import logs, metrics, running
from packhouse.cli.supervisor import HOPELESS

TARGET = "packhouse.dataplane.rsgi:application"
BACKLOG = 4096
KEPT_FILES = 512
"""Descriptors of a worker that are not for connections: databases, files being sent, spools."""
FILE_THREADS = 32
STEADY = 5.0
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 3.0
ATTEMPTS = 5


class Server(MPServer):
    """granian, but a worker that dies is always replaced.

    granian itself ends when one worker dies twice within seconds, and with it all requests that the others are at.
    Here it does so only while no worker has ever stayed up, because then none ever will.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.quick_deaths = 0
        self.ever_steady = False

    def _respawn_workers(self, workers: Sequence[int], spawn_target: Any, target_loader: Any, delay: float = 0) -> None:
        youngest = min(time.monotonic() - self.wrks[index].birth for index in workers)
        self.ever_steady = self.ever_steady or youngest > STEADY
        self.quick_deaths = 0 if youngest > STEADY else self.quick_deaths + 1
        if self.quick_deaths > 1:
            time.sleep(min(FIRST_PAUSE * 2**self.quick_deaths, LONGEST_PAUSE))
        super()._respawn_workers(workers, spawn_target, target_loader, delay)
        if self.ever_steady or self.quick_deaths < ATTEMPTS:
            self.respawned_wrks.clear()


def main() -> None:
    """Serves until SIGTERM."""
    running.end_with_parent()
    settings = config.load()
    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)
    front = server(settings)
    preload()
    try:
        front.serve(target_loader=load_application, wrap_loader=False)
    except SystemExit:
        sys.exit(1 if front.ever_steady or front.quick_deaths < ATTEMPTS else HOPELESS)


def server(settings: config.Config) -> Server:
    """granian, set up as *settings* say."""
    return Server(
        TARGET,
        address=settings.host.strip("[]"),
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        runtime_mode=RuntimeModes.st,
        runtime_blocking_threads=FILE_THREADS,
        websockets=False,
        backlog=BACKLOG,
        backpressure=connections(),
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.header_timeout * 1000, max_buffer_size=settings.max_header_size
        ),
        log_level=LogLevels.warning,
        log_dictconfig=logs.granian_config(),
        respawn_failed_workers=True,
        respawn_interval=2.0,
        workers_kill_timeout=settings.drain_seconds or 1,
    )


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
    """How many connections each worker may hold: all that the system lets a process have, once asked for.

    At that number granian accepts nobody any more, idle though the others may be.
    """
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    room = min(hard, 1024**2) if hard != resource.RLIM_INFINITY else 1024**2
    resource.setrlimit(resource.RLIMIT_NOFILE, (room, hard))
    return max(room - KEPT_FILES, room // 2)


def load_application() -> Any:
    """The application of one worker, which runs this first."""
    running.end_with_parent()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = config.load()
    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)
    metrics.start("server")
    from packhouse.dataplane.rsgi import application  # noqa: PLC0415 (in the worker only)

    return application


if __name__ == "__main__":
    main()
