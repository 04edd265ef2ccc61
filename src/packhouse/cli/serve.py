"""``packhouse serve``: a working index from an empty folder, in one command."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from packhouse import config
from packhouse.base import home as homes
from packhouse.base import running
from packhouse.cli import session
from packhouse.cli.standby import Standby
from packhouse.cli.supervisor import NOBODY_YET, RESTART, Child, Supervisor, own_command, put, tell

Command = TypeVar("Command", bound=Callable[..., Any])
WORKER_WAITS = 2.0
"""Seconds that the task worker leaves the processors to the server, so that people are answered sooner."""


def setting_options(command: Command) -> Command:
    """A flag for each setting, but for secrets, which do not belong on a command line."""
    for name, setting in reversed(config.declared().items()):
        if name != "home" and not setting.secret:
            shown = f"{setting.help} [default: {config.default_text(name)}]"
            command = click.option(f"--{name.replace('_', '-')}", name, metavar="VALUE", help=shown)(command)
    return command


@click.command()
@session.home_option
@click.option("--no-work", is_flag=True, help="Start no worker for background tasks: `packhouse work` runs elsewhere.")
@setting_options
def serve(home: Path | None, *, no_work: bool, **flags: str | None) -> None:
    """Run the index.  An empty home is made ready first; settings that are not given take their defaults."""
    given = dict(os.environ)  # before the configuration is written into it
    reading = session.begin({"home": home, **flags}, serving=True)
    settings = reading.config
    for port in filter(None, (settings.port, settings.metrics_port)):
        refuse_taken_port(settings.host, port)
    running.make_folder(settings.home)
    try:
        standby = Standby() if running.adopt_orphans() else None
        server = Child("server", own_command("packhouse.cli.front"), essential=True, standby=standby)
        children = [server]
        supervisor = Supervisor(children, notice=settings.drain_notice, drain=settings.drain_seconds)
        supervisor.heed_signals()  # before the server can be ready: who sees that may tell it to stop
        if settings.metrics_port:
            serve_metrics(settings)
        if start_prepared(server, supervisor) == NOBODY_YET:
            link = f"{settings.public_url}/setup/{homes.new_setup_token(settings.home)}"
            put(f"There is no administrator yet. Open this link once to make the first:\n  {link}\n", sys.stdout)
        put(f"Packhouse serves {settings.home} at {settings.public_url}", sys.stdout)
        if not no_work:
            worker = Child("worker", own_command("packhouse.cli", "work"))
            worker.due += WORKER_WAITS
            children.append(worker)
        status = supervisor.run()
    finally:
        running.remove_folder()
    if status == RESTART:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], given)  # noqa: S606 (this very command)
    sys.exit(status)


def serve_metrics(settings: config.Config) -> None:
    """Answers scrapes from now on, in a thread."""
    from packhouse.cli.exporter import Exporter  # noqa: PLC0415 (only where it is wanted)

    Exporter(settings.host, settings.metrics_port, settings.metrics_token).start()


def refuse_taken_port(host: str, port: int) -> None:
    """Ends the command when something listens there already.

    The workers' sockets share their port (SO_REUSEPORT), and a second server would silently take half of the clients.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            tell(f"cannot listen on {host}, port {port}: {error.strerror}")
            sys.exit(1)


def start_prepared(server: Child, supervisor: Supervisor) -> int:
    """Starts *server* for the first time, which migrates before it serves, and waits until it has.

    Returns 0 or ``NOBODY_YET``; ends the command when the database could not be made ready, or it was told to end.
    """
    reader, writer = os.pipe()
    process = server.start("--prepare", str(writer), keep=[writer])
    os.close(writer)
    told = supervisor.first_word(server, reader)
    os.close(reader)
    if not told:
        process.wait()
        sys.exit(0 if supervisor.is_stopping else 1)
    return int(told)
