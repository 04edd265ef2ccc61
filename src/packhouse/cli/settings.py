"""``packhouse config``: what is set and why, and a file to begin with."""

import click

from packhouse import config
from packhouse.cli import session


@click.group("config")
def settings() -> None:
    """The settings."""


@settings.command("show")
@session.home_option
def show(home: str | None) -> None:
    """Print every setting, its value, and where the value comes from.  Secrets are not printed."""
    try:
        reading = config.read({"home": home})
    except config.ConfigError as error:
        click.echo(f"packhouse: {error}", err=True)
        raise SystemExit(2) from error
    for name, setting in config.declared().items():
        value = getattr(reading.config, name)
        text = config.without_secrets(setting, setting.kind.show(value))
        click.echo(f"{name} = {text}  # {reading.origins[name]}")
    for warning in reading.warnings:
        click.echo(f"packhouse: warning: {warning}", err=True)


@settings.command("example")
def example() -> None:
    """Print a packhouse.toml that says all defaults, each commented out."""
    click.echo(example_file(), nl=False)


def example_file() -> str:
    """A ``packhouse.toml`` with every setting at its default, commented out."""
    lines = ["# packhouse.toml, in the home. Every setting at its default: remove the # to change one.", ""]
    group = ""
    for name, setting in config.declared().items():
        if name == "home":
            continue
        if setting.group != group:
            group = setting.group
            lines += [f"# ── {group} " + "─" * (70 - len(group)), ""]
        lines += [f"# {setting.help}", f"# Expected: {setting.kind.expected}.", f"#{name} = {_toml_default(name)}", ""]
    return "\n".join(lines)


def _toml_default(name: str) -> str:
    value = config.default_text(name)
    if value in {"true", "false"} or value.isdigit():
        return value
    return f'"{value}"'
