"""``packhouse purge``: have the cache in front forget pages by hand."""

from pathlib import Path

import click

from packhouse.cli import session


@click.command()
@session.home_option
@click.argument("keys", nargs=-1)
@click.option("--everything", is_flag=True, help="All that the cache keeps.")
def purge(home: Path | None, keys: tuple[str, ...], everything: bool) -> None:
    """Have the cache in front forget the pages with KEYS: `project/flask`, `user/ada`, `all-projects`, …"""
    if bool(keys) == everything:
        raise click.UsageError("name keys, or --everything")
    if any(not key.isprintable() or not key.isascii() or " " in key for key in keys):
        raise click.UsageError("a key has no spaces, and letters of ASCII only")
    reading = session.begin({"home": home})
    session.start_django(reading.config)
    from packhouse.purge import ports  # noqa: PLC0415

    try:
        ports.plugged_in().purge([ports.EVERYTHING] if everything else keys)
    except ports.Failed as error:
        click.echo(f"packhouse: {error}", err=True)
        raise SystemExit(1) from error
