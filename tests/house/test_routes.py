"""Every route and method, asked by everybody: the answers are those of ``routes.toml``, which people review.

A route without a row fails.  ``ROUTES=write pytest tests/house/test_routes.py`` writes the file anew: look at the
difference before you commit it; each new cell is a promise about who may do what.
"""

import json
import logging
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

FILE = Path(__file__).with_name("routes.toml")
PLACES = {"/account/login/": "login", "/manage/unverified-account/": "verify", "/manage/account/two-factor/": "factor"}
RARE = ("PUT", "PATCH", "DELETE")
WIDTH = 72
DAY = timedelta(days=1)
WITHOUT_A_FACTOR_THERE_IS_NOTHING_TO_DO = {
    "GET /manage/account/two-factor/recovery-codes/",
    "POST /manage/account/two-factor/recovery-codes/",
}
HEAD = """\
# Who gets what from each route.  One row for each route and method, one column for each kind of visitor:
#
#   anonymous   unverified (address)   single (no second factor)   user   other (user)   frozen   staff (superuser)
#   token (of user, entire account)    scoped (token of user, one project)    read   yank   manage (tokens for that)
#
# A cell is the status, or where the visitor is sent: login, verify (the address first), factor (set one up first), or
# elsewhere ("on").  Sessions have just proved who they are.  What the routes name (projects, addresses, …) is user's.
# Methods without a row are answered 405 to everybody.  Written by tests/house/test_routes.py, reviewed by people.
"""


@pytest.fixture(autouse=True)
def _in_no_time(time_machine: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What a session has just proved it has still just proved at the end, however slow the machine is.

    Thousands of refusals are not written down, each with where it came from: that takes longer than to refuse.
    """
    caplog.set_level(logging.CRITICAL, logger="django.request")
    time_machine.move_to(datetime.now(UTC), tick=False)


def routes(patterns: list[Any] | None = None, prefix: str = "/") -> Iterator[str]:
    """The routes of the control plane, as they are declared."""
    for item in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(item.pattern).removeprefix("^").removesuffix("$")
        if isinstance(item, URLResolver):
            yield from routes(item.url_patterns, route)
        elif isinstance(item, URLPattern):
            yield readable(route)


def readable(route: str) -> str:
    """A route that is a regular expression, written like the others; of alternatives the first."""
    route = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route)
    route = re.sub(r"\(\?:([^|)]*)[^)]*\)", r"\1", route)
    return route.replace("/?", "/").replace("\\.", ".")


def world() -> tuple[dict[str, Client], dict[str, str]]:
    """Visitors by their kind, and what stands for the parameters of routes: all of it belongs to ``user``."""
    from allauth.account.models import EmailAddress
    from allauth.usersessions.models import UserSession
    from tests.factories.accounts import make_token, make_user, signed_in
    from tests.factories.projects import make_project, publish
    from tests.factories.publishers import make_pending_publisher, make_publisher

    from packhouse.accounts.models import Invitation
    from packhouse.base import clock
    from packhouse.mail.models import Letter

    user = make_user("user")
    project = make_project("sample", owner=user)
    publish(project, by=user)
    groups = organizations(user)
    token, text = make_token(user, "whole", by_operator=True)
    _, scoped = make_token(user, "scoped", projects=[project], by_operator=True)
    made_for = {kind: make_token(user, kind, grants=[kind])[1] for kind in ("read", "yank", "manage")}
    address = EmailAddress.objects.create(user=user, email="more@users.example", verified=True)
    session = UserSession.objects.create(user=user, ip="10.0.0.1", user_agent="-", session_key="of-the-user")
    letter = Letter.objects.create(name="note", cause="1", kind="notice", to=user.email, is_secret=False)
    invitation = Invitation.objects.create(email="guest@users.example", digest="-", expires=clock.now() + DAY)
    visitors = {
        "anonymous": Client(),
        "unverified": signed_in(make_user("unverified", verified=False, two_factor=False)),
        "single": signed_in(make_user("single", two_factor=False)),
        "user": signed_in(user),
        "other": signed_in(make_user("other")),
        "frozen": signed_in(make_user("frozen", is_frozen=True)),
        "staff": signed_in(make_user("staff", is_superuser=True)),
        "token": Client(headers={"Authorization": f"Bearer {text}"}),
        "scoped": Client(headers={"Authorization": f"Bearer {scoped}"}),
        **{kind: Client(headers={"Authorization": f"Bearer {text}"}) for kind, text in made_for.items()},
    }
    factor = user.authenticator_set.get()
    things = {
        "factor": factor.pk,
        "address": address.pk,
        "session": session.pk,
        "letter": letter.pk,
        "invitation": invitation.pk,
        "token": token.pk,
        "publisher": make_publisher(project).pk,
        "pending": make_pending_publisher(user).pk,
        "project": "sample",
        **groups,
        "version": "1.0",
    }
    return visitors, {name: str(value) for name, value in things.items()}


def organizations(user: Any) -> dict[str, Any]:
    """An organization of *user* with a member, a team, an invitation and a project; another one that invites *user*."""
    from tests.factories.accounts import make_user
    from tests.factories.organizations import join, make_organization, make_team
    from tests.factories.projects import make_project

    from packhouse.base import clock
    from packhouse.organizations.models import Invitation
    from packhouse.projects.models import Role, TeamRole

    acme, mate = make_organization("acme", owner=user), make_user("mate")
    project, team = make_project("shared", organization=acme), make_team(acme, "Builders", mate)
    later = clock.now() + DAY

    def invite(organization: Any, guest: Any, digest: str) -> int:
        about = {"organization": organization, "user": guest, "digest": digest}
        return Invitation.objects.create(role="Member", expires=later, **about).pk

    return {
        "organization": "acme",
        "member": join(acme, mate).pk,
        "team": team.normalized_name,
        "teammate": mate.pk,
        "joining": invite(acme, make_user("newcomer"), "-"),
        "welcome": invite(make_organization("hosts"), user, "+"),
        "group_project": "shared",
        "person": Role.objects.create(user=mate, project=project, name="Maintainer").pk,
        "team_role": TeamRole.objects.create(team=team, project=project, name="Maintainer").pk,
    }


def path_of(route: str, parameters: dict[str, str], things: dict[str, str]) -> str:
    """A concrete path: parameters are filled with what ``[parameters]`` names, else with what is not there."""

    def fill(match: re.Match[str]) -> str:
        kind, _, name = match[1].rpartition(":")
        meant = parameters.get(name, "")
        if meant in things:
            return things[meant]
        return meant or {"int": "404404", "uuid": "00000000-0000-4000-8000-000000000404"}.get(kind, "absent")

    return re.sub(r"<([^>]+)>", fill, route)


def ask(client: Client, method: str, path: str, body: str) -> str:
    """What the visitor gets, in a word; whatever the request has changed is undone."""
    browser = Client(raise_request_exception=False)
    browser.defaults.update(client.defaults)
    for name, morsel in client.cookies.items():
        browser.cookies[name] = morsel.value
    mark = transaction.savepoint()
    try:
        kind = "application/json" if body.startswith("{") else "application/x-www-form-urlencoded"
        response = browser.generic(method, path, body, kind)
    finally:
        transaction.savepoint_rollback(mark)
    place = urlsplit(response.headers.get("Location", "")).path
    if 300 <= response.status_code < 400:
        return "on" if place == path else PLACES.get(place, "on")
    return str(response.status_code)


def observed(oracle: dict[str, Any]) -> dict[str, str]:
    """The rows as they are now."""
    visitors, things = world()
    rows: dict[str, str] = {}
    for route in dict.fromkeys(routes()):
        path = path_of(route, oracle.get("parameters", {}).get(route, {}), things)
        for method in ("GET", "POST", *RARE):
            if method in RARE and ask(visitors["user"], method, path, "") in {"405", "404"}:
                continue
            body = oracle.get("bodies", {}).get(f"{method} {route}", "")
            if {ask(visitors[kind], method, path, body) for kind in ("anonymous", "staff", "token")} == {"405"}:
                continue
            cells = [ask(client, method, path, body) for client in visitors.values()]
            if set(cells) != {"405"}:
                rows[f"{method} {route}"] = " ".join(cells)
    return rows


def passes_without_factor(oracle: dict[str, Any]) -> list[str]:
    """Where whoever has no second factor is let pass, of what asks to sign in."""
    visitors, things = world()
    found = []
    for name, cells in oracle["rows"].items():
        method, route = name.split()
        if cells.split()[0] not in {"login", "401"}:
            continue
        path = path_of(route, oracle["parameters"].get(route, {}), things)
        if ask(visitors["single"], method, path, oracle["bodies"].get(name, "")) not in {"factor", "401", "403"}:
            found.append(name)
    return found


def sent_for_a_factor(oracle: dict[str, Any]) -> list[str]:
    """Where whoever has no second factor is still sent to set one up, of where the oracle says so."""
    visitors, things = world()
    asked = [name.split() for name, cells in oracle["rows"].items() if cells.split()[2] == "factor"]
    return [
        f"{method} {route}"
        for method, route in asked
        if ask(visitors["single"], method, path_of(route, oracle["parameters"].get(route, {}), things), "") == "factor"
    ]


def write(oracle: dict[str, Any], rows: dict[str, str]) -> None:
    """The file, with *rows*."""
    text = [HEAD, "[parameters]  # what stands for the parameters of a route; whatever is not named does not exist"]
    for route, names in oracle.get("parameters", {}).items():
        pairs = ", ".join(f'{name} = "{value}"' for name, value in names.items())
        text.append(f'"{route}" = {{ {pairs} }}')
    text.append("\n[bodies]  # forms that are right, so that what stands in the way is the visitor alone")
    text.extend(f"\"{name}\" = '{body}'" for name, body in oracle.get("bodies", {}).items())
    text.append("\n[everybody]  # open to whoever has no second factor where everybody must have one")
    text.append(f"open = {json.dumps(oracle.get('everybody', {}).get('open', []), indent=4)}")
    text.append("\n[rows]")
    for name, cells in sorted(rows.items(), key=lambda row: (row[0].split()[1], row[0])):
        columns = "".join(cell.ljust(7) for cell in cells.split()).rstrip()
        quoted = f'"{name}"'
        text.append(f'{quoted:{WIDTH}} = "{columns}"')
    FILE.write_text("\n".join(text) + "\n")


@pytest.mark.timeout(1200)  # thousands of requests, on a machine that may have other things to do
@pytest.mark.django_db
def test_everybody_gets_from_each_route_what_the_oracle_says() -> None:
    oracle = tomllib.loads(FILE.read_text()) if FILE.exists() else {}
    rows = observed(oracle)
    if os.environ.get("ROUTES") == "write":
        write(oracle, rows)
    reviewed = {name: " ".join(cells.split()) for name, cells in oracle.get("rows", {}).items()}
    assert not [name for name, cells in rows.items() if "500" in cells.split()]
    assert sorted(rows.keys() - reviewed.keys()) == [], "new routes: review them with ROUTES=write"
    assert sorted(reviewed.keys() - rows.keys()) == [], "routes that are gone: remove their rows with ROUTES=write"
    assert {name: (reviewed[name], cells) for name, cells in rows.items() if reviewed[name] != cells} == {}


@pytest.mark.django_db
def test_where_everybody_must_have_a_second_factor_only_the_way_to_one_is_open_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    oracle = tomllib.loads(FILE.read_text())
    monkeypatch.setattr(settings, "PACKHOUSE", replace(settings.PACKHOUSE, require_two_factor="everybody"))
    found = sorted(passes_without_factor(oracle))
    if os.environ.get("ROUTES") == "write":
        write(oracle | {"everybody": {"open": found}}, oracle["rows"])
    assert found == oracle["everybody"]["open"]


@pytest.mark.django_db
def test_where_nobody_needs_a_second_factor_no_route_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    oracle = tomllib.loads(FILE.read_text())
    monkeypatch.setattr(settings, "PACKHOUSE", replace(settings.PACKHOUSE, require_two_factor="nobody"))
    assert {*sent_for_a_factor(oracle)} == WITHOUT_A_FACTOR_THERE_IS_NOTHING_TO_DO
