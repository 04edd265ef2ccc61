"""``packhouse work``: runs background tasks until told to stop."""

from pathlib import Path

import click

from packhouse.base import running
from packhouse.cli import session


@click.command()
@session.home_option
def work(home: Path | None) -> None:
    """Run background tasks.  `serve` starts one of these; more may run, on any machine that reaches the database."""
    supervised = running.folder() is not None
    if supervised:
        running.end_with_parent()
    session.begin({"home": home}, quiet=supervised)
    session.start_django()
    from packhouse.queue import worker  # noqa: PLC0415

    worker.run()
