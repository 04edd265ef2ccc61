"""``packhouse reconcile``: compares documents, rows and stored files, and mends what disagrees."""

from pathlib import Path

import click

from packhouse.cli import session


@click.command()
@session.home_option
@click.option("--deep", is_flag=True, help="Read every stored file and compare its digests.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be mended.")
def reconcile(home: Path | None, *, deep: bool, dry_run: bool) -> None:
    """Compare documents, rows and stored files; mend what disagrees.  Status 1 when something could not be mended."""
    with session.database(home):
        from packhouse.index.reconcile import run  # noqa: PLC0415 (needs Django)

        report = run(deep=deep, repair=not dry_run)
    for line in report.lines():
        click.echo(line)
    raise SystemExit(0 if report.is_clean else 1)
