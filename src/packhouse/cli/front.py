"""The server process: granian in front of the data plane, with its workers.

``python -m packhouse.cli.front`` is started by the supervisor, which hands it the whole configuration in the
environment; see docs/decisions/0004-server-process.md for why each of granian's options stands as it does.
"""

import signal
from typing import Any

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from packhouse import config
from packhouse.base import logs, running

TARGET = "packhouse.dataplane.rsgi:application"
CONNECTIONS = 2048
FILE_THREADS = 32


def main() -> None:
    """Serves until SIGTERM."""
    running.end_with_parent()
    settings = config.load()
    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)
    server(settings).serve(target_loader=load_application, wrap_loader=False)


def server(settings: config.Config) -> MPServer:
    """granian, set up as *settings* say."""
    return MPServer(
        TARGET,
        address=settings.host.strip("[]"),
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        http=HTTPModes.auto,
        runtime_mode=RuntimeModes.st,
        runtime_blocking_threads=FILE_THREADS,
        websockets=False,
        backlog=CONNECTIONS,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(
            header_read_timeout=settings.header_timeout * 1000, max_buffer_size=settings.max_header_size
        ),
        http2_settings=HTTP2Settings(max_concurrent_streams=100, max_headers_size=settings.max_header_size),
        log_level=LogLevels.warning,
        log_dictconfig=logs.granian_config(),
        respawn_failed_workers=True,
        respawn_interval=2.0,
        workers_kill_timeout=settings.drain_seconds or 1,
    )


def load_application() -> Any:
    """The application of one worker, which runs this first."""
    running.end_with_parent()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = config.load()
    logs.configure(settings.log_format, settings.log_level, settings.token_prefix)
    from packhouse.dataplane.rsgi import application  # noqa: PLC0415 (in the worker only)

    return application


if __name__ == "__main__":
    main()
