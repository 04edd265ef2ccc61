"""``packhouse address``: from where nobody can act; also the way back in for whoever has shut themselves out."""

from datetime import timedelta
from pathlib import Path

import click

from packhouse.cli import session
from packhouse.cli.people import Lifetime, fail


@click.group()
def address() -> None:
    """Banned addresses."""


@address.command("ban")
@session.home_option
@click.argument("addresses", nargs=-1, required=True)
@click.option(
    "--for",
    "lifetime",
    metavar="DAYS|never",
    type=Lifetime(),
    default="never",
    show_default=True,
    help="Let the ban end after so many days.",
)
@click.option("--comment", default="", help="Why, for your colleagues.")
def ban(home: Path | None, addresses: tuple[str, ...], lifetime: timedelta | None, comment: str) -> None:
    """Let nobody act from ADDRESSES, or networks (CIDR): sign-in, sessions and tokens are refused there."""
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.accounts import actions  # noqa: PLC0415
        from packhouse.base import clock  # noqa: PLC0415

        until = clock.now() + lifetime if lifetime else None
        try:
            number = actions.ban(addresses, comment=comment, until=until, by=None)
        except ValidationError as error:
            fail("; ".join(error.messages))
    click.echo(f"Banned: {number}.")


@address.command("allow")
@session.home_option
@click.argument("address")
def allow(home: Path | None, address: str) -> None:
    """End the ban of ADDRESS, which must be written as `packhouse address list` does."""
    with session.database(home):
        from packhouse.accounts import actions, queries  # noqa: PLC0415

        found = next((row for row in queries.banned_networks() if address in {str(row), row.network}), None)
        if found is None:
            fail(f"{address} is not banned")
        actions.lift_ban(found.pk, by=None)
    click.echo(f"Allowed: {found}.")


@address.command("list")
@session.home_option
def list_bans(home: Path | None) -> None:
    """List what is banned: since when, until when, and why."""
    with session.database(home):
        from packhouse.accounts import queries  # noqa: PLC0415

        for row in queries.banned_networks():
            until = f"until {row.until:%Y-%m-%d}" if row.until else "for good"
            click.echo(f"{row}  since {row.at:%Y-%m-%d}  {until}  {row.comment}".rstrip())
