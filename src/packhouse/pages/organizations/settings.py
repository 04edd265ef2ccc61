"""What an organization says of itself, its history, and its end."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from packhouse.accounts.views.registration import show
from packhouse.audit.queries import events_of
from packhouse.audit.words import organization_sentence
from packhouse.base.forms import TypedConfirmation
from packhouse.organizations import actions
from packhouse.organizations.forms import About
from packhouse.pages.organizations.access import Desk, for_members
from packhouse.pages.security_history import device
from packhouse.projects.queries import projects_in


@require_http_methods(["GET", "POST"])
@for_members("read")
def settings(desk: Desk) -> HttpResponse:
    """All members see it; owners change it."""
    organization, sent = desk.organization, desk.request.method == "POST"
    if sent:
        desk.must("manage")
    fields = {name: getattr(organization, name) for name in About.base_fields}
    form = About(desk.request.POST if sent else None, initial=fields)
    if sent and form.is_valid():
        try:
            actions.update_organization(by=desk.user, organization=organization, changes=form.cleaned_data)
        except ValidationError as error:
            show(form, error)
        else:
            messages.success(desk.request, _("Your changes are saved."))
            return redirect("organization-settings", organization.name)
    return desk.page("settings", "settings", form=form)


@require_http_methods(["GET", "POST"])
@for_members("manage")
def delete(desk: Desk) -> HttpResponse:
    """Asks, then deletes it; refused while it owns projects."""
    projects = projects_in(desk.organization)
    form = TypedConfirmation(desk.request.POST or None, expected=desk.organization.name)
    if not projects and form.is_valid():
        try:
            actions.delete_organization(by=desk.user, organization=desk.organization)
        except actions.OwnsProjects:
            return desk.page("kept", "settings", projects=projects.all(), status=409)
        told = _("The organization %(name)s is deleted.") % {"name": desk.organization.display_name}
        messages.success(desk.request, told)
        return redirect("organizations")
    if projects:
        return desk.page("kept", "settings", projects=projects, status=409 if desk.request.method == "POST" else 200)
    return desk.page("delete", "settings", form=form, cancel_url="../settings/")


@require_safe
@for_members("manage", recent=False)
def history(desk: Desk) -> HttpResponse:
    """What has happened to the organization."""
    events = events_of("organization", str(desk.organization.uid))
    page = Paginator(events, 50).get_page(desk.request.GET.get("page"))
    rows = [(event, organization_sentence(event.tag, event.additional), device(event.user_agent)) for event in page]
    return desk.page("history", "history", page=page, rows=rows)
