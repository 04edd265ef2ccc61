"""``packhouse user`` and ``packhouse token``: accounts and tokens made by the operator.

Whoever can run these can read the database as well; no second factor is asked for.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

import click

from packhouse.cli import session

if TYPE_CHECKING:
    from packhouse.accounts.models import User
    from packhouse.projects.models import Project


class Lifetime(click.ParamType[timedelta | None]):
    """How many days something works, or ``never`` for what does not end."""

    name = "lifetime"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta | None:
        if value == "never":
            return None
        try:
            return timedelta(days=click.IntRange(1, 36_500).convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"{value!r} is neither a number of days (1 or more) nor never.", param, ctx)


def fail(message: str) -> NoReturn:
    """Ends the command with status 1, having said why."""
    click.echo(f"packhouse: {message}", err=True)
    raise SystemExit(1)


@click.group()
def user() -> None:
    """Accounts."""


@user.command("create")
@session.home_option
@click.argument("name")
@click.option("--email", required=True, help="The address of the account.")
@click.option(
    "--password-file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="A file whose first line is the password; - reads it from stdin.",
)
@click.option("--superuser", is_flag=True, help="Give the account every right.")
@click.option("--verified", is_flag=True, help="Count the address as verified.")
def create_user(home: Path | None, name: str, email: str, password_file: Path, superuser: bool, verified: bool) -> None:
    """Create the account NAME."""
    with click.open_file(str(password_file)) as file:
        password = file.readline().rstrip("\r\n")
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.accounts import actions  # noqa: PLC0415

        try:
            made = actions.create_user(
                username=name, email=email, password=password, superuser=superuser, verified=verified
            )
        except ValidationError as error:
            fail("; ".join(error.messages))
    click.echo(f"Created {made.username}.")


@user.command("invite")
@session.home_option
@click.argument("email")
def invite(home: Path | None, email: str) -> None:
    """Invite whoever reads EMAIL to register, by letter, and print the link."""
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.accounts import actions  # noqa: PLC0415

        try:
            link = actions.invite_person(email, by=None)
        except ValidationError as error:
            fail("; ".join(error.messages))
        click.echo(link)


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@session.home_option
@click.option("--user", "username", required=True, help="Whose token it is.")
@click.option("--project", "projects", multiple=True, help="Limit the token to this project; may be repeated.")
@click.option(
    "--pattern",
    "patterns",
    multiple=True,
    help="Limit it to projects whose names match, like `acme-*`; may be repeated.",
)
@click.option(
    "--permission",
    "grants",
    multiple=True,
    type=click.Choice(["upload", "yank", "manage", "read"]),
    default=["upload"],
    show_default=True,
    help="What it may be used for; may be repeated.",
)
@click.option("--address", "addresses", multiple=True, help="Limit it to this network (CIDR); may be repeated.")
@click.option(
    "--expires",
    "lifetime",
    metavar="DAYS|never",
    type=Lifetime(),
    default="365",
    show_default=True,
    help="Let it end after so many days.",
)
@click.option("--description", required=True, help="What the token is for.")
def create_token(
    home: Path | None,
    username: str,
    projects: tuple[str, ...],
    patterns: tuple[str, ...],
    grants: tuple[str, ...],
    addresses: tuple[str, ...],
    lifetime: timedelta | None,
    description: str,
) -> None:
    """Create an API token and print it, alone, on stdout.  It is not shown again."""
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.base import clock  # noqa: PLC0415
        from packhouse.tokens import actions  # noqa: PLC0415

        try:
            _, text = actions.create_token(
                user=_user(username),
                description=description,
                projects=_projects(projects),
                patterns=patterns,
                grants=grants,
                addresses=addresses,
                expires=clock.now() + lifetime if lifetime else None,
                by_operator=True,
            )
        except ValidationError as error:
            fail("; ".join(error.messages))
    click.echo(text)


@token.command("list")
@session.home_option
@click.option("--user", "username", required=True, help="Whose tokens.")
def list_tokens(home: Path | None, username: str) -> None:
    """List the API tokens of a user: id, what each is for, when it was last used, and its name."""
    with session.database(home):
        from packhouse.tokens import queries  # noqa: PLC0415

        for token in queries.tokens_of(_user(username)):
            scope = queries.scope_of(token)
            reach = ",".join(scope.projects or scope.patterns) or "whole account"
            used = f"{token.last_used:%Y-%m-%d} {token.last_used_address}".strip() if token.last_used else "never used"
            until = f", until {scope.expires:%Y-%m-%d}" if scope.expires else ""
            click.echo(f"{token.pk}  {reach} ({','.join(scope.grants)}{until})  {used}  {token.description}")


@token.command("delete")
@session.home_option
@click.option("--user", "username", required=True, help="Whose token it is.")
@click.argument("token_id", type=click.UUID)
def delete_token(home: Path | None, username: str, token_id: UUID) -> None:
    """Delete the API token with that id; it works no longer."""
    with session.database(home):
        from packhouse.tokens import actions  # noqa: PLC0415
        from packhouse.tokens.models import Token  # noqa: PLC0415

        try:
            actions.delete_token(owner=_user(username), token_id=token_id, reason="deleted by the operator")
        except Token.DoesNotExist:
            fail(f"{username} has no token {token_id}")
    click.echo("Deleted.")


def _user(username: str) -> "User":
    from packhouse.accounts.models import User  # noqa: PLC0415

    try:
        return User.objects.get_by_natural_key(username)
    except User.DoesNotExist:
        fail(f"there is no user {username}")


def _projects(names: tuple[str, ...]) -> "list[Project]":
    from packhouse.projects.models import Project  # noqa: PLC0415
    from packhouse.specs.names import normalize  # noqa: PLC0415

    found = {
        project.normalized_name: project
        for project in Project.objects.filter(normalized_name__in=map(normalize, names))
    }
    if missing := [name for name in names if normalize(name) not in found]:
        fail(f"there is no project {', '.join(missing)}")
    return list(found.values())
