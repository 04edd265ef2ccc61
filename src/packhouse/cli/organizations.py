"""``packhouse organization``: organizations, their owners, and who asks for one."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from packhouse.cli import session
from packhouse.cli.people import fail

if TYPE_CHECKING:
    from packhouse.accounts.models import User
    from packhouse.organizations.models import Application, Organization

KINDS = click.Choice(["community", "company"])
ROLES = click.Choice(["Owner", "Manager", "Billing manager", "Member"], case_sensitive=False)


@click.group()
def organization() -> None:
    """Organizations: groups of people who own projects together."""


@organization.command("create")
@session.home_option
@click.argument("name")
@click.option("--owner", required=True, help="The user who owns it at first.")
@click.option("--display-name", default="", help="How it is called in full [default: NAME].")
@click.option("--kind", type=KINDS, default="community", show_default=True)
@click.option("--url", default="", help="Its website.")
@click.option("--description", default="", help="What it is, in a sentence.")
def create(home: Path | None, name: str, owner: str, display_name: str, kind: str, url: str, description: str) -> None:
    """Create the organization NAME."""
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.organizations import actions  # noqa: PLC0415

        about = {"display_name": display_name or name, "kind": kind, "link_url": url, "description": description}
        try:
            made = actions.create_organization(by=None, owner=_user(owner), name=name, **about)
        except ValidationError as error:
            fail("; ".join(error.messages))
    click.echo(f"Created {made.name}.")


@organization.command("list")
@session.home_option
def list_organizations(home: Path | None) -> None:
    """List all organizations: name, state, number of projects, owners."""
    with session.database(home):
        from packhouse.organizations.models import MemberRole, Organization  # noqa: PLC0415
        from packhouse.projects.queries import projects_in  # noqa: PLC0415

        for found in Organization.objects.all():
            owners = found.members.filter(role=MemberRole.OWNER).order_by("user__username")
            names = ", ".join(owners.values_list("user__username", flat=True))
            state = found.kind if found.is_active else "not active"
            click.echo(f"{found.name}  {state}  {projects_in(found).count()} projects  owned by {names or 'nobody'}")


@organization.command("add-member")
@session.home_option
@click.argument("name")
@click.argument("username")
@click.option("--role", type=ROLES, default="Owner", show_default=True)
def add_member(home: Path | None, name: str, username: str, role: str) -> None:
    """Make USERNAME a member of the organization NAME at once, or give them another role."""
    with session.database(home):
        from packhouse.organizations import actions  # noqa: PLC0415
        from packhouse.organizations.models import MemberRole  # noqa: PLC0415

        try:
            actions.add_member(by=None, organization=_organization(name), user=_user(username), role=MemberRole(role))
        except actions.LastOwner:
            fail(f"{username} is the last owner of {name}")
    click.echo(f"{username} is {role} of {name}.")


@organization.command("deactivate")
@session.home_option
@click.argument("name")
def deactivate(home: Path | None, name: str) -> None:
    """Let the organization NAME rest: nobody sees it, and its projects take no uploads."""
    _set_active(home, name, active=False)


@organization.command("activate")
@session.home_option
@click.argument("name")
def activate(home: Path | None, name: str) -> None:
    """Wake the organization NAME up again."""
    _set_active(home, name, active=True)


@organization.command("requests")
@session.home_option
@click.option("--all", "everything", is_flag=True, help="Also those that were answered.")
def requests(home: Path | None, everything: bool) -> None:
    """List who asks for an organization: number, state, name, applicant, and what for."""
    with session.database(home):
        from packhouse.organizations import queries  # noqa: PLC0415

        for found in queries.applications(waiting=not everything):
            click.echo(f"{found.pk}  {found.state}  {found.name}  {found.submitted_by.username}  {found.usage}")


@organization.command("approve")
@session.home_option
@click.argument("number", type=int)
@click.option("--message", default="", help="What the letter says to the applicant.")
def approve(home: Path | None, number: int, message: str) -> None:
    """Make the organization that request NUMBER asks for."""
    _answer(home, number, message, "approve")


@organization.command("decline")
@session.home_option
@click.argument("number", type=int)
@click.option("--message", default="", help="What the letter says to the applicant.")
def decline(home: Path | None, number: int, message: str) -> None:
    """Decline request NUMBER."""
    _answer(home, number, message, "decline")


def _answer(home: Path | None, number: int, message: str, verb: str) -> None:
    with session.database(home):
        from django.core.exceptions import ValidationError  # noqa: PLC0415

        from packhouse.organizations import actions  # noqa: PLC0415

        act = actions.approve if verb == "approve" else actions.decline
        try:
            act(by=None, application=_application(number), message=message)
        except ValidationError as error:
            fail("; ".join(error.messages))
    click.echo("Approved." if verb == "approve" else "Declined.")


def _set_active(home: Path | None, name: str, *, active: bool) -> None:
    with session.database(home):
        from packhouse.organizations import actions  # noqa: PLC0415

        actions.set_active(by=None, organization=_organization(name), active=active)
    click.echo(f"{name} is {'active' if active else 'not active'} now.")


def _user(username: str) -> "User":
    from packhouse.accounts.queries import user_named  # noqa: PLC0415

    return user_named(username) or fail(f"there is no user {username}")


def _organization(name: str) -> "Organization":
    from packhouse.organizations.queries import find_organization  # noqa: PLC0415

    return find_organization(name) or fail(f"there is no organization {name}")


def _application(number: int) -> "Application":
    from packhouse.organizations.queries import applications  # noqa: PLC0415

    return applications().filter(pk=number).first() or fail(f"there is no request {number}")
