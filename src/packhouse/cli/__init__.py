"""The command line: ``packhouse serve``, ``work``, ``check``, ``user``, ``token``, ``address``, ``reconcile``,
``organization``, ``backup``, ``vulnerabilities``, ``manage`` …

Each command lives in a module of its own that is imported only when the command runs, so that ``packhouse`` answers at
once and the supervisor of ``serve`` stays small: neither imports Django.
"""

from importlib import import_module
from typing import ClassVar

import click

from packhouse import __version__


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    homes: ClassVar[dict[str, str]] = {
        "serve": "packhouse.cli.serve",
        "work": "packhouse.cli.work",
        "check": "packhouse.cli.check",
        "user": "packhouse.cli.people",
        "token": "packhouse.cli.people",
        "organization": "packhouse.cli.organizations",
        "address": "packhouse.cli.addresses",
        "reconcile": "packhouse.cli.reconcile",
        "backup": "packhouse.cli.backup",
        "purge": "packhouse.cli.purge",
        "vcl": "packhouse.cli.vcl",
        "vulnerabilities": "packhouse.cli.vulnerabilities",
        "manage": "packhouse.cli.manage",
        "config": "packhouse.cli.settings:settings",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.homes)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.homes:
            return None
        module, _, name = self.homes[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name or cmd_name)
        return command


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="All settings can also stand in packhouse.toml in the home, or in the environment as PACKHOUSE_<NAME>.",
)
@click.version_option(__version__, prog_name="packhouse")
def main() -> None:
    """A Python package index that anyone can run.  `packhouse serve` on an empty folder is all it takes."""
