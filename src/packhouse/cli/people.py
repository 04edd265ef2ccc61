"""``packhouse user`` and ``packhouse token``: accounts and tokens made by the operator.

Whoever can run these can read the database as well; no second factor is asked for.
"""

from pathlib import Path
from typing import NoReturn

import click

from packhouse.cli import session


def _fail(message: str) -> NoReturn:
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
            _fail("; ".join(error.messages))
    click.echo(f"Created {made.username}.")


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@session.home_option
@click.option("--user", "username", required=True, help="Whose token it is.")
@click.option("--project", "projects", multiple=True, help="Limit the token to this project; may be repeated.")
@click.option("--description", required=True, help="What the token is for.")
def create_token(home: Path | None, username: str, projects: tuple[str, ...], description: str) -> None:
    """Create an API token and print it, alone, on stdout.  It is not shown again."""
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.accounts.models import User  # noqa: PLC0415
        from packhouse.projects.models import Project  # noqa: PLC0415
        from packhouse.specs.names import normalize  # noqa: PLC0415
        from packhouse.tokens import actions  # noqa: PLC0415

        try:
            owner = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            _fail(f"there is no user {username}")
        found = list(Project.objects.filter(normalized_name__in={normalize(name) for name in projects}))
        missing = [name for name in projects if normalize(name) not in {project.normalized_name for project in found}]
        if missing:
            _fail(f"there is no project {', '.join(missing)}")
        try:
            _, text = actions.create_token(user=owner, description=description, projects=found, by_operator=True)
        except ValidationError as error:
            _fail("; ".join(error.messages))
    click.echo(text)
