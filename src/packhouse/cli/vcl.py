"""``packhouse vcl``: the configuration of a Varnish in front."""

import re
from pathlib import Path

import click

from packhouse.cli import session


@click.command()
@session.home_option
@click.option("--backend", metavar="HOST:PORT", help="Where Varnish finds the index [default: its host and port].")
@click.option(
    "--purger",
    "purgers",
    multiple=True,
    metavar="NETWORK",
    help="From where it may be purged; several times for several [default: 127.0.0.1 and ::1].",
)
def vcl(home: Path | None, backend: str | None, purgers: tuple[str, ...]) -> None:
    """Print the configuration of a Varnish in front, for the settings of this index.  It holds `purge`'s secret."""
    reading = session.begin({"home": home})
    session.start_django(reading.config)
    from packhouse.purge.vcl import written  # noqa: PLC0415

    backend = backend or f"{reading.config.host}:{reading.config.port}"
    found = re.fullmatch(r"\[?([A-Za-z0-9.:_-]+?)\]?:([0-9]{1,5})", backend)
    if found is None:
        raise click.BadParameter("expected HOST:PORT", param_hint="--backend")
    try:
        text = written((found[1], int(found[2])), purgers or ("127.0.0.1", "::1"))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--purger") from error
    click.echo(text, nl=False)
