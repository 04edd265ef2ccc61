"""Write ``docs/reference/`` from the code, so that it cannot say anything else.  ``make docs``.

Each page is one small function in ``PAGES``: it returns the page's text, or None where its source is not built yet.
With ``--check`` nothing is written: the exit status is 1 if a page differs from what would be written.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import django

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
WIDTH: Any = {"terminal_width": 100, "max_content_width": 100}
NOTE = "<!-- Written by `make docs` from the code: change it there. -->\n\n"


def settings() -> str | None:
    """Every setting of ``Config``: its names, its default, what it takes."""
    config: Any = importlib.import_module("packhouse.config")
    if not hasattr(config, "declared"):
        return None
    groups: dict[str, list[str]] = {}
    for name, setting in config.declared().items():
        row = (f"`{name}`", f"`{config.default_text(name)}`", sentence(setting.kind.expected), setting.help)
        groups.setdefault(setting.group, []).append(table_row(*row))
    head = table_row("setting", "default", "takes", "what it is") + table_row(*["---"] * 4)
    text = (
        "# Settings\n\nEach setting has one name: `name` in `packhouse.toml`, `--name` (dashes for underscores) where"
        " a command takes it, `PACKHOUSE_NAME` in the environment. A flag wins over the environment, the environment"
        " over the file, the file over the default. A secret may also be read from a file: `PACKHOUSE_NAME_FILE`.\n"
    )
    return text + "".join(f"\n## {group}\n\n{head}{''.join(rows)}" for group, rows in groups.items())


def refusals() -> str | None:
    """Every reason for which an upload is refused, in the order of the checks, and that order itself."""
    if not find_spec("packhouse.uploads"):
        return None
    uploads: Any = importlib.import_module("packhouse.uploads.reasons")
    pipeline: Any = importlib.import_module("packhouse.uploads.pipeline")
    text = (
        "# Why an upload is refused\n\nEvery refusal has a reason. It stands in the header `X-Packhouse-Reason`,"
        " in the key `reason` of a JSON answer, and it is the label of the metric. Below are all reasons, in the order"
        " in which they are looked for; the first one that holds is told.\n"
    )
    for code, reason in uploads.REASONS.items():
        text += f"\n## {code}\n\n{reason.status}: {reason.explanation}\n"
    steps = "".join(f"{number}. {step}\n" for number, step in enumerate(pipeline.order(), 1))
    return f"{text}\n# The order of the checks\n\n{steps}"


def commands() -> str | None:
    """Every command of ``packhouse``, as its ``--help`` says it."""
    if not find_spec("packhouse.cli"):
        return None
    main: click.Group = importlib.import_module("packhouse.cli").main
    return "# Commands\n" + "".join(command_pages(main, click.Context(main, info_name="packhouse", **WIDTH)))


def command_pages(command: click.Command, context: click.Context) -> Iterator[str]:
    """The help of *command* and of all commands below it."""
    yield f"\n## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below and not below.hidden:
            yield from command_pages(below, click.Context(below, info_name=name, parent=context, **WIDTH))


PAGES: dict[str, Callable[[], str | None]] = {
    "settings.md": settings,
    "refusals.md": refusals,
    "commands.md": commands,
}


def modules(*packages: str) -> Iterator[ModuleType]:
    """All modules in *packages*, imported; packages that do not exist yet are passed over."""
    for name in packages:
        if not find_spec(name):
            continue
        package = importlib.import_module(name)
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{name}."):
            if ".migrations" not in found.name:
                yield importlib.import_module(found.name)


def table_row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def main() -> int:
    """Write or check all pages; returns the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "packhouse.settings")
    django.setup()
    wanted = {REFERENCE / name: NOTE + text for name, page in PAGES.items() if (text := page())}
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    extra = [path for path in REFERENCE.glob("*.md") if path not in wanted]
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
