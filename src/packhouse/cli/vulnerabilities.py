"""``packhouse vulnerabilities``: what is known of the releases on this index, from files that the operator brings."""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Any

import click

from packhouse.cli import session
from packhouse.cli.people import fail

if TYPE_CHECKING:
    from packhouse.integrations.loading import Loaded
    from packhouse.integrations.models import Vulnerability


class Source(click.ParamType[str]):
    """The name of a list, as readers see it."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", value):
            self.fail(f"{value!r} is not at most 32 small letters, digits and hyphens.", param, ctx)
        return str(value)


@click.group()
def vulnerabilities() -> None:
    """Known vulnerabilities of releases."""


@vulnerabilities.command("load")
@session.home_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--source", type=Source(), default="osv", show_default=True, help="What the list is called.")
@click.option("--whole", is_flag=True, help="The file is the whole list of that name: remove what is not in it.")
@click.option("--quiet", is_flag=True, help="Tell only what cannot be read.")
def load(home: Path | None, file: Path, *, source: str, whole: bool, quiet: bool) -> None:
    """Take the vulnerabilities in FILE; - reads stdin.

    FILE is in the OSV format: one record, a list of them, or a zip with a file for each, as they are published for the
    ecosystem PyPI.  Safe to run again: what is known already stays as it is.
    """
    with session.database(home), _opened(file) as content:
        from packhouse.integrations.loading import load as take  # noqa: PLC0415
        from packhouse.integrations.reports import Malformed  # noqa: PLC0415

        try:
            loaded = take(content, source=source, whole=whole)
        except Malformed as refused:
            fail(f"{file}: {refused}")
    for where, problem in loaded.unreadable:
        click.echo(f"packhouse: cannot be read: {where and f'{where}: '}{problem}", err=True)
    for line in () if quiet else _told(loaded):
        click.echo(line)
    raise SystemExit(1 if loaded.records and len(loaded.unreadable) == loaded.records else 0)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    """The file, or what stdin holds, so that it can be read from wherever a zip begins."""
    if str(file) != "-":
        with file.open("rb") as content:
            yield content
        return
    with TemporaryFile() as kept:
        copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        yield kept


def _told(loaded: "Loaded") -> Iterator[str]:
    sums: Counter[str] = Counter()
    for name, taken in loaded.taken.items():
        for kind in ("new", "changed", "removed"):
            found = getattr(taken, kind)
            sums[kind] += len(found)
            yield from (f"{kind}: {identifier} of {name}" for identifier in found)
        sums["unchanged"] += taken.unchanged
        sums["releases"] += taken.releases
    told = ", ".join(f"{sums[kind]} {kind}" for kind in ("new", "changed", "removed", "unchanged"))
    yield f"Taken: {told}; {sums['releases']} releases are shown otherwise."
    yield (
        f"Skipped: {loaded.unknown} of projects that are not here, {loaded.elsewhere} of other ecosystems,"
        f" {len(loaded.unreadable)} that cannot be read."
    )


@vulnerabilities.command("list")
@session.home_option
@click.option("--project", default="", help="Only those of this project.")
def listing(home: Path | None, project: str) -> None:
    """List what is known: identifier, project, where it is fixed, whether it is withdrawn, and what it is."""
    with session.database(home):
        from packhouse.integrations.queries import listing as known  # noqa: PLC0415
        from packhouse.specs.names import normalize  # noqa: PLC0415

        for row in known(normalize(project)).iterator():
            click.echo(_line(row))


def _line(row: "Vulnerability") -> str:
    fixed = f"fixed in {', '.join(row.fixed_in)}" if row.fixed_in else "not fixed"
    withdrawn = f", withdrawn {row.withdrawn:%Y-%m-%d}" if row.withdrawn else ""
    summary = " ".join(row.summary.split())
    return f"{row.identifier}  {row.project.name}  {fixed}{withdrawn}  {summary}".rstrip()


@vulnerabilities.command("remove")
@session.home_option
@click.argument("identifier", required=False)
@click.option("--project", default="", help="Only of this project.")
@click.option("--everything", is_flag=True, help="All that is known, as if there had never been a list.")
def remove(home: Path | None, identifier: str | None, project: str, *, everything: bool) -> None:
    """Remove the vulnerability IDENTIFIER, until a list names it again."""
    if bool(identifier) == everything or (everything and project):
        raise click.UsageError("name one, or --everything")
    with session.database(home):
        from packhouse.integrations import actions  # noqa: PLC0415
        from packhouse.integrations.queries import listing as known  # noqa: PLC0415
        from packhouse.specs.names import normalize  # noqa: PLC0415

        chosen: dict[str, Any] = {} if everything else {"identifier": identifier}
        found = known(normalize(project)).filter(**chosen).values_list("project_id", flat=True)
        projects = sorted(set(found))
        if identifier and not projects:
            fail(f"nothing is known as {identifier}{project and f' of {project}'}")
        count = actions.remove(identifier, projects=projects)
        if everything:
            actions.forget_feeds()
    click.echo(f"Removed: {count}.")
