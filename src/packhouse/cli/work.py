"""``packhouse work``: runs background tasks until told to stop."""

from pathlib import Path

import click

from packhouse.base import running
from packhouse.cli import session
from packhouse.queue import worker


@click.command()
@session.home_option
def work(home: Path | None) -> None:
    """Run background tasks.  `serve` starts one of these; more may run, on any machine that reaches the database."""
    supervised = running.folder() is not None
    if supervised:
        running.end_with_parent()
    reading = session.begin({"home": home}, quiet=supervised)
    worker.run(grace=reading.config.drain_seconds)  # it starts Django in processes of its own
