"""``packhouse work``: runs background tasks until told to stop."""

from pathlib import Path

import click

from packhouse.base import running
from packhouse.cli import session
from packhouse.queue import worker


@click.command()
@session.home_option
@click.option("--queue", "queues", multiple=True, help="Only tasks of this queue; may be repeated.")
def work(home: Path | None, queues: tuple[str, ...]) -> None:
    """Run background tasks.  `serve` starts one of these; more may run, on any machine that reaches the database."""
    supervised = running.folder() is not None
    if supervised:
        running.end_with_parent()
    reading = session.begin({"home": home}, quiet=supervised)
    session.start_log(reading.config)
    status = worker.run(queues or None, grace=reading.config.drain_seconds)  # Django runs in processes of its own
    raise SystemExit(status)
