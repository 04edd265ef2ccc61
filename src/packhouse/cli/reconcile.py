"""``packhouse reconcile``: compares documents, rows and stored files, and mends what disagrees."""

import json
from pathlib import Path

import click

from packhouse.cli import session


@click.command()
@session.home_option
@click.option("--deep", is_flag=True, help="Read every stored file and compare its digests.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be mended.")
@click.option(
    "--verify", "verifying", is_flag=True, help="Look at everything (deep, rows against rows) and mend nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Tell it as JSON.")
def reconcile(home: Path | None, *, deep: bool, dry_run: bool, verifying: bool, as_json: bool) -> None:
    """Compare documents, rows and stored files; mend what disagrees.  Status 1 when something could not be mended."""
    with session.database(home):
        from packhouse.index.reconcile import run, verify  # noqa: PLC0415 (needs Django)

        report = verify() if verifying else run(deep=deep, repair=not dry_run)
    for line in [json.dumps(report.as_json())] if as_json else report.lines():
        click.echo(line)
    raise SystemExit(0 if report.is_clean else 1)
