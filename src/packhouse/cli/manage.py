"""``packhouse manage``: Django's own commands on this home."""

from pathlib import Path

import click

from packhouse.cli import session


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@session.home_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def manage(home: Path | None, arguments: tuple[str, ...]) -> None:
    """Run one of Django's management commands; without one, list them."""
    session.start_log(session.begin({"home": home}).config)
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(["packhouse manage", *arguments])
