"""The projects of an organization."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from packhouse.accounts.limits import give_back, use
from packhouse.flags import queries as flags
from packhouse.pages.organizations import limits
from packhouse.pages.organizations.access import Desk, for_members
from packhouse.pages.profile import described
from packhouse.projects import actions, belonging
from packhouse.projects.models import Project
from packhouse.projects.queries import owned_by, projects_in, role_of
from packhouse.projects.rules import may_move
from packhouse.specs.errors import Refused
from packhouse.specs.names import NAME_MAX_LENGTH


class Add(forms.Form):
    """A project that one owns oneself, or a new one without a file."""

    existing = forms.ModelChoiceField(
        label=gettext_lazy("A project of yours"),
        queryset=Project.objects.none(),
        to_field_name="normalized_name",
        required=False,
        empty_label=gettext_lazy("None, a new one"),
        help_text=gettext_lazy("Your own role on it ends; owners of the organization own it from then on."),
    )
    new = forms.CharField(
        label=gettext_lazy("Name of a new project"),
        max_length=NAME_MAX_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, user_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        existing: Any = self.fields["existing"]
        existing.queryset = owned_by(user_id).filter(organization=None).order_by("normalized_name")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not self.errors and bool(data.get("existing")) == bool(data.get("new")):
            raise forms.ValidationError(_("Choose a project of yours, or name a new one."))
        return data


@require_http_methods(["GET", "POST"])
@for_members("read")
def projects(desk: Desk) -> HttpResponse:
    """Lists the projects, and adds one."""
    sent = desk.request.method == "POST"
    if sent:
        desk.must("add-projects")
    form = Add(desk.request.POST if sent else None, user_id=desk.user.pk)
    if sent and form.is_valid() and _added(desk, form):
        return redirect("organization-projects", desk.organization.name)
    page = Paginator(projects_in(desk.organization), 50).get_page(desk.request.GET.get("page"))
    rows = described([project.pk for project in page])
    return desk.page("projects", "projects", form=form, page=page, rows=rows)


def _added(desk: Desk, form: Add) -> bool:
    project: Project | None = form.cleaned_data["existing"]
    if project is not None:
        allowed = may_move(
            desk.identity,
            role=role_of(desk.user.pk, project),
            organization_role=None,
            project=project.name,
            organization=None,
        )
        if not allowed:
            raise PermissionDenied(allowed.reason)
        belonging.move_project(by=desk.user, project=project, organization=desk.organization)
    elif flags.is_on("disallow-new-project-registration"):
        form.add_error("new", _("The index takes no new projects at the moment."))
        return False
    else:
        use(limits.project(desk.user))
        try:
            name = form.cleaned_data["new"]
            project = actions.create_project(name=name, by=desk.user, organization=desk.organization)
        except Refused as refused:
            give_back(limits.project(desk.user))
            form.add_error("new", str(refused))
            return False
    told = _("%(name)s now owns %(project)s.") % {"name": desk.organization.display_name, "project": project.name}
    messages.success(desk.request, told)
    return True
