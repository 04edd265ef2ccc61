"""The teams of an organization."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts.models import User
from packhouse.accounts.queries import user_named
from packhouse.accounts.views.registration import show
from packhouse.base.forms import TypedConfirmation
from packhouse.organizations import actions, queries
from packhouse.organizations.forms import TeamMember, TeamName
from packhouse.organizations.models import MemberRole, Team
from packhouse.pages.organizations.access import Desk, for_members
from packhouse.projects.models import TeamRole


@require_http_methods(["GET", "POST"])
@for_members("read")
def teams(desk: Desk) -> HttpResponse:
    """Lists the teams, and makes one."""
    sent = desk.request.method == "POST"
    if sent:
        desk.must("teams")
    form = TeamName(desk.request.POST if sent else None)
    if sent and form.is_valid():
        try:
            name = form.cleaned_data["name"]
            made = actions.create_team(by=desk.user, organization=desk.organization, name=name)
        except ValidationError as error:
            show(form, error)
        else:
            messages.success(desk.request, _("The team %(team)s is there.") % {"team": made.name})
            return _to(desk, made)
    return desk.page("teams", "teams", form=form, teams=queries.teams_of(desk.organization))


@require_http_methods(["GET", "POST"])
@for_members("read")
def team(desk: Desk, team: str) -> HttpResponse:
    """Who is in a team and what it may do; puts somebody in."""
    found = _team(desk, team)
    sent = desk.request.method == "POST"
    if sent:
        desk.must("teams")
    inside = list(User.objects.filter(pk__in=found.members.values("user_id"), is_active=True).order_by("username"))
    form = TeamMember(desk.request.POST if sent else None, usernames=_others(desk, inside))
    if sent and form.is_valid():
        user = user_named(form.cleaned_data["username"])
        try:
            if user is None:
                raise Http404
            actions.add_to_team(by=desk.user, team=found, user=user)
        except ValidationError as error:
            show(form, error)
        else:
            messages.success(desk.request, _("%(user)s is in the team now.") % {"user": user.username})
            return _to(desk, found)
    roles = TeamRole.objects.filter(team=found).select_related("project").order_by("project__normalized_name")
    return desk.page("team", "teams", team=found, inside=inside, form=form, roles=roles, me=desk.user)


@require_http_methods(["GET", "POST"])
@for_members("teams")
def rename(desk: Desk, team: str) -> HttpResponse:
    """Gives a team another name."""
    found = _team(desk, team)
    form = TeamName(desk.request.POST or None, initial={"name": found.name})
    if form.is_valid():
        try:
            renamed = actions.rename_team(by=desk.user, team=found, name=form.cleaned_data["name"])
        except ValidationError as error:
            show(form, error)
        else:
            messages.success(desk.request, _("The team is called %(team)s now.") % {"team": renamed.name})
            return _to(desk, renamed)
    return desk.page("team_rename", "teams", team=_team(desk, team), form=form)


@require_http_methods(["GET", "POST"])
@for_members("teams")
def delete(desk: Desk, team: str) -> HttpResponse:
    """Asks, then deletes a team."""
    found = _team(desk, team)
    form = TypedConfirmation(desk.request.POST or None, expected=found.name)
    if form.is_valid():
        actions.delete_team(by=desk.user, team=found)
        messages.success(desk.request, _("The team %(team)s is deleted.") % {"team": found.name})
        return redirect("organization-teams", desk.organization.name)
    return desk.page("team_delete", "teams", team=found, form=form, cancel_url="../")


@require_POST
@for_members("read")
def remove(desk: Desk, team: str, number: int) -> HttpResponse:
    """Takes somebody out of a team, or lets one leave."""
    found = _team(desk, team)
    if number != desk.user.pk:
        desk.must("teams")
    user = User.objects.filter(pk=number).first()
    if user is None or not actions.remove_from_team(by=desk.user, team=found, user=user):
        raise Http404
    messages.success(desk.request, _("%(user)s is no longer in the team.") % {"user": user.username})
    return _to(desk, found)


def _others(desk: Desk, inside: list[User]) -> list[str]:
    """Who could join the team."""
    members = queries.members_of(desk.organization)
    fitting = (member.user for member in members if member.role != MemberRole.BILLING)
    return [user.username for user in fitting if user not in inside]


def _team(desk: Desk, name: str) -> Team:
    found = desk.organization.teams.filter(normalized_name=name).select_related("organization").first()
    if found is None:
        raise Http404
    return found


def _to(desk: Desk, team: Team) -> HttpResponse:
    return redirect("organization-team", desk.organization.name, team.normalized_name)
