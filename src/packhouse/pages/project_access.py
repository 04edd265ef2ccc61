"""``/manage/project/{name}/collaboration/``: who has what on a project, by teams too, and to whom it belongs."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.models import User
from packhouse.accounts.queries import identity_of
from packhouse.base.decision import Decision
from packhouse.base.forms import TypedConfirmation
from packhouse.organizations.models import Member, MemberRole, Organization, Team
from packhouse.organizations.queries import organizations_of, role_in
from packhouse.projects import belonging
from packhouse.projects.actions import LastOwner, remove_role, set_role
from packhouse.projects.models import Project, Role
from packhouse.projects.queries import find_project, role_of, roles_of, team_roles_of
from packhouse.projects.rules import may_manage, may_move

KEPT = gettext_lazy("A project keeps at least one owner.")
ROLES = [
    (Role.Name.MAINTAINER.value, pgettext_lazy("role", "Maintainer")),
    (Role.Name.OWNER.value, pgettext_lazy("role", "Owner")),
]


class GiveTeam(forms.Form):
    """A team, and its role."""

    team = forms.ModelChoiceField(label=gettext_lazy("Team"), queryset=Team.objects.none(), empty_label=None)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES)

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team: Any = self.fields["team"]
        team.queryset = organization.teams.all()


class AddMember(forms.Form):
    """A member of the organization, and their role."""

    user = forms.ModelChoiceField(
        label=gettext_lazy("Member"), queryset=User.objects.none(), to_field_name="username", empty_label=None
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES)

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        user: Any = self.fields["user"]
        user.queryset = people


class Move(TypedConfirmation):
    """To which organization a project is given."""

    organization = forms.ModelChoiceField(
        label=gettext_lazy("Organization"),
        queryset=Organization.objects.none(),
        to_field_name="normalized_name",
        empty_label=None,
    )
    field_order = ("organization", "confirmation")

    def __init__(self, *args: Any, choices: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organization: Any = self.fields["organization"]
        organization.queryset = choices
        organization.label_from_instance = lambda one: one.display_name


@require_safe
@for_users()
def access(request: HttpRequest, name: str) -> HttpResponse:
    """Everybody with a role, the teams, and the organization."""
    user, project = _managed(request, name)
    owner, people = project.organization, _addable(project)
    context = {
        "project": project,
        "owner": owner,
        "owners": owner.members.filter(role=MemberRole.OWNER).select_related("user") if owner else (),
        "roles": roles_of(project),
        "team_roles": team_roles_of(project),
        "choices": ROLES,
        "form": GiveTeam(organization=owner) if owner and owner.teams.exists() else None,
        "moves": bool(_may_move(user, project)),
        "adding": AddMember(people=people, prefix="member") if people else None,
        "me": user,
        "targets": _targets(user, project).exists(),
    }
    return render(request, "pages/access.html", context)


@require_POST
@for_users()
def give_team(request: HttpRequest, name: str) -> HttpResponse:
    """Gives a team of the project's organization a role, or another one."""
    user, project = _managed(request, name)
    if project.organization is None:
        raise Http404
    form = GiveTeam(request.POST, organization=project.organization)
    if not form.is_valid():
        raise Http404
    team, role = form.cleaned_data["team"], Role.Name(form.cleaned_data["role"])
    _must_not_be_own(user, project, team)
    try:
        belonging.set_team_role(by=user, project=project, team=team, name=role)
    except belonging.OtherOrganization:
        raise Http404 from None
    messages.success(request, _("The team %(team)s has its role.") % {"team": team.name})
    return redirect("project-belonging", project.normalized_name)


@require_POST
@for_users()
def remove_team(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Takes a team's role away."""
    user, project = _managed(request, name)
    role = team_roles_of(project).filter(pk=number).first()
    if role is None:
        raise Http404
    _must_not_be_own(user, project, role.team)
    belonging.remove_team_role(by=user, project=project, team=role.team)
    messages.success(request, _("The team %(team)s has no role any more.") % {"team": role.team.name})
    return redirect("project-belonging", project.normalized_name)


@require_POST
@for_users()
def add_member(request: HttpRequest, name: str) -> HttpResponse:
    """Gives a member of the project's organization a role of their own, at once."""
    user, project = _managed(request, name)
    if project.organization is None:
        raise Http404
    form = AddMember(request.POST, people=_addable(project), prefix="member")
    if not form.is_valid():
        raise Http404
    member, role = form.cleaned_data["user"], Role.Name(form.cleaned_data["role"])
    set_role(by=user, project=project, user_id=member.pk, name=role)
    messages.success(request, _("%(user)s has a role now.") % {"user": member.username})
    return redirect("project-belonging", project.normalized_name)


@require_POST
@for_users()
def change_person(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Gives a collaborator another role: anybody but oneself."""
    user, project = _managed(request, name)
    role, wanted = _own_role(project, number), request.POST.get("role", "")
    if wanted not in Role.Name.values:
        raise Http404
    if role.user == user:
        raise PermissionDenied(_("Another owner changes your role."))
    try:
        set_role(by=user, project=project, user_id=role.user_id, name=Role.Name(wanted))
    except LastOwner:
        messages.error(request, KEPT)
    else:
        messages.success(request, _("The role of %(user)s is changed.") % {"user": role.user.username})
    return redirect("project-belonging", project.normalized_name)


@require_POST
@for_users()
def remove_person(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Takes a collaborator's role away, or one's own; a project keeps an owner."""
    user, project = _managed(request, name)
    role = _own_role(project, number)
    try:
        remove_role(by=user, project=project, user_id=role.user_id)
    except LastOwner:
        messages.error(request, KEPT)
        return redirect("project-belonging", project.normalized_name)
    messages.success(request, _("%(user)s has no role any more.") % {"user": role.user.username})
    if role.user == user and role_of(user.pk, project) is None:
        return redirect("own-projects")
    return redirect("project-belonging", project.normalized_name)


@require_http_methods(["GET", "POST"])
@for_users()
def transfer(request: HttpRequest, name: str) -> HttpResponse:
    """Asks to which organization, then gives the project to it."""
    user, project = _moved(request, name)
    form = Move(request.POST or None, expected=project.name, choices=_targets(user, project))
    if form.is_valid():
        target = form.cleaned_data["organization"]
        belonging.move_project(by=user, project=project, organization=target)
        told = _("%(name)s now owns %(project)s.") % {"name": target.display_name, "project": project.name}
        messages.success(request, told)
        return redirect("organization-projects", target.name)
    return render(request, "pages/access_transfer.html", _asking(project, form))


@require_http_methods(["GET", "POST"])
@for_users()
def leave(request: HttpRequest, name: str) -> HttpResponse:
    """Asks, then takes the project out of its organization; somebody must own it then."""
    user, project = _moved(request, name)
    if project.organization is None:
        raise Http404
    form = TypedConfirmation(request.POST or None, expected=project.name)
    if form.is_valid():
        former = project.organization
        try:
            belonging.move_project(by=user, project=project, organization=None)
        except LastOwner:
            form.add_error(None, _("Nobody would own it. Give somebody the role Owner first."))
        else:
            told = _("%(name)s no longer owns %(project)s.") % {"name": former.display_name, "project": project.name}
            messages.success(request, told)
            return redirect("organization-projects", former.name)
    return render(request, "pages/access_leave.html", _asking(project, form))


def _own_role(project: Project, number: int) -> Role:
    role = roles_of(project).filter(pk=number).first()
    if role is None:
        raise Http404
    return role


def _addable(project: Project) -> Any:
    """Members of the project's organization who have no role of their own on it and do not own it anyhow."""
    held = project.roles.values("user_id")
    members = Member.objects.filter(organization=project.organization_id).exclude(role=MemberRole.OWNER)
    found = User.objects.filter(pk__in=members.values("user_id"), is_active=True).exclude(pk__in=held)
    return found.order_by("username") if project.organization_id else found.none()


def _asking(project: Project, form: forms.Form) -> dict[str, Any]:
    return {"project": project, "form": form, "cancel_url": "../collaboration/"}


def _targets(user: User, project: Project) -> Any:
    """The organizations to which *user* can give the project."""
    found = organizations_of(user.pk, roles=[MemberRole.OWNER, MemberRole.MANAGER])
    return found.exclude(pk=project.organization_id) if project.organization_id else found


def _may_move(user: User, project: Project) -> Decision:
    owner = project.organization
    return may_move(
        identity_of(user),
        role=role_of(user.pk, project),
        organization_role=role_in(user.pk, owner) if owner else None,
        project=project.name,
        organization=owner.name if owner else None,
    )


def _must_not_be_own(user: User, project: Project, team: Team) -> None:
    """Nobody changes by what team they themselves are owners, but for owners of the organization."""
    is_inside = team.members.filter(user=user).exists()
    if is_inside and role_in(user.pk, team.organization) != MemberRole.OWNER:
        raise PermissionDenied(_("An owner of the organization changes the role of a team that you are in."))


def _managed(request: HttpRequest, name: str) -> tuple[User, Project]:
    """Whoever owns the project of that name, and it; to those who have nothing on it, it is not there."""
    user, project = user_of(request), find_project(name)
    role = role_of(user.pk, project) if project else None
    if project is None or role is None:
        raise Http404
    decision = may_manage(identity_of(user), role=role, project=project.name)
    if not decision:
        raise PermissionDenied(decision.reason)
    return user, project


def _moved(request: HttpRequest, name: str) -> tuple[User, Project]:
    """The same, for whoever may move the project."""
    user, project = _managed(request, name)
    decision = _may_move(user, project)
    if not decision:
        raise PermissionDenied(decision.reason)
    return user, project


HERE = "manage/project/<str:name>"
urlpatterns = [
    path(f"{HERE}/collaboration/", access, name="project-belonging"),
    path(f"{HERE}/collaboration/member/", add_member, name="project-member-role"),
    path(f"{HERE}/collaboration/<int:number>/role/", change_person, name="project-person-role"),
    path(f"{HERE}/collaboration/<int:number>/remove/", remove_person, name="project-person-remove"),
    path(f"{HERE}/collaboration/team/", give_team, name="project-team-role"),
    path(f"{HERE}/collaboration/team/<int:number>/remove/", remove_team, name="project-team-remove"),
    path(f"{HERE}/transfer_organization_project/", transfer, name="project-transfer"),
    path(f"{HERE}/remove_organization_project/", leave, name="project-leave"),
]
