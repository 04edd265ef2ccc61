"""Write ``docs/reference/`` and the list of decisions, so that they cannot say anything but the truth.  ``make docs``.

Each page is one small function in ``PAGES``: it returns the page's text.
With ``--check`` nothing is written: the exit status is 1 if a page differs from what would be written.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import django

from packhouse import cli, config

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
WIDTH: Any = {"terminal_width": 100, "max_content_width": 100}
NOTE = "<!-- Written by `make docs` from the code: change it there. -->\n\n"


def settings() -> str:
    """Every setting of ``Config``: its names, its default, what it takes."""
    groups: dict[str, list[str]] = {}
    for name, setting in config.declared().items():
        default = config.default_text(name)
        shown = default if setting.derive or not default else f"`{default}`"
        row = (f"`{name}`", shown or "none", setting.kind.expected, setting.help)
        groups.setdefault(setting.group, []).append(table_row(*row))
    head = table_row("setting", "default", "takes", "what it is") + table_row(*["---"] * 4)
    text = (
        "# Settings\n\nEach setting has one name: `name` in `packhouse.toml`, `--name` (dashes for underscores) where"
        " a command takes it, `PACKHOUSE_NAME` in the environment. A flag wins over the environment, the environment"
        " over the file, the file over the default. A secret may also be read from a file: `PACKHOUSE_NAME_FILE`.\n"
    )
    return text + "".join(f"\n## {group}\n\n{head}{''.join(rows)}" for group, rows in groups.items())


def refusals() -> str:
    """Every reason for which an upload is refused, in the order in which they are looked for."""
    from packhouse.uploads import pipeline, reasons  # noqa: PLC0415 - models need Django set up

    text = (
        "# Why an upload is refused\n\nEach refusal has one reason. The same word is the heading here, the header"
        " `X-Packhouse-Reason` of the response, and the reason in the log and in the metrics. The reasons stand in the"
        " order in which they are looked for; the first that applies is given.\n"
    )
    text += "".join(f"\n## {code}\n\nStatus {why.status}. {why.explanation}\n" for code, why in reasons.REASONS.items())
    steps = "".join(f"1. {step}\n" for step in pipeline.order())
    return f"{text}\n# The order of the checks\n\n{steps}"


def commands() -> str:
    """Every command of ``packhouse``, as its ``--help`` says it."""
    return "# Commands\n" + "".join(command_pages(cli.main, click.Context(cli.main, info_name="packhouse", **WIDTH)))


def command_pages(command: click.Command, context: click.Context) -> Iterator[str]:
    """The help of *command* and of all commands below it."""
    yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below and not below.hidden:
            yield from command_pages(below, click.Context(below, info_name=name, parent=context, **WIDTH))


def metrics() -> str:
    """Every metric: its kind, its labels, what it says."""
    from packhouse.base.metrics import BUCKETS, COUNTERS, GAUGES, REQUESTS  # noqa: PLC0415

    requests = ("packhouse_request_seconds", "histogram", REQUESTS)
    counters = ((f"{name}_total", "counter", metric) for name, metric in COUNTERS.items())
    gauges = ((name, "gauge", metric) for name, metric in GAUGES.items())
    head = table_row("metric", "kind", "labels", "what it says") + table_row(*["---"] * 4)
    rows = (
        table_row(f"`{name}`", kind, ", ".join(f"`{label}`" for label in metric.labels) or "none", metric.help)
        for name, kind, metric in (requests, *counters, *gauges)
    )
    text = (
        "# Metrics\n\nIn Prometheus's text format, over all processes of a machine: on a port of their own"
        " (`metrics_port`) or at `/metrics` for whoever sends `metrics_token` as a bearer token. How to watch an index"
        " with them stands in [Watching](../operating/watching.md).\n\n"
    )
    return f"{text}{head}{''.join(rows)}\nBuckets of the histogram, in seconds: {', '.join(map(str, BUCKETS))}.\n"


def decisions() -> str:
    """The decisions in the order of their numbers, by their titles."""
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    titles = ((record.name, record.read_text().partition("\n")[0].lstrip("# ")) for record in records)
    return "# Decisions\n\n" + "".join(f"- [{title}]({name})\n" for name, title in titles)


PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "settings.md": settings,
    REFERENCE / "refusals.md": refusals,
    REFERENCE / "commands.md": commands,
    REFERENCE / "metrics.md": metrics,
    DOCS / "decisions" / "README.md": decisions,
}

BY_HAND = {REFERENCE / name for name in ("reliability.md", "performance.md", "performance-million.md")}
"""What was measured is told by whoever measured it."""


def table_row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def main() -> int:
    """Write or check all pages; returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "packhouse.settings")
    django.setup()
    wanted = {path: NOTE + page() for path, page in PAGES.items()}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    extra = [path for path in REFERENCE.glob("*.md") if path not in wanted and path not in BY_HAND]
    if "--check" in sys.argv[1:]:
        for path in stale + extra:
            print(f"{path.relative_to(ROOT)} is not what the code says: run `make docs`")
        return bool(stale or extra)
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(wanted[path])
    for path in extra:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
