"""``/manage/organizations/``: those to which one belongs, invitations, and starting one."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from packhouse.accounts.access import for_users, user_of
from packhouse.accounts.limits import give_back, use
from packhouse.accounts.models import User
from packhouse.accounts.views.registration import show
from packhouse.base.decision import Decision
from packhouse.organizations import actions, queries
from packhouse.organizations.forms import Decline, NewOrganization, Request
from packhouse.organizations.rules import may_apply, may_start
from packhouse.pages.organizations import limits


@require_safe
@for_users(recent=False)
def own_organizations(request: HttpRequest) -> HttpResponse:
    """What one belongs to, is invited to, and has asked for."""
    user = user_of(request)
    context = {
        "memberships": queries.memberships_of(user.pk),
        "invitations": queries.invitations_to(user.pk),
        "applications": queries.applications_by(user.pk)[:20],
        "starts": _starts(user),
        "applies": may_apply(settings.PACKHOUSE.organizations),
    }
    return render(request, "pages/organizations/own.html", context)


@require_http_methods(["GET", "POST"])
@for_users()
def new_organization(request: HttpRequest) -> HttpResponse:
    """Starts an organization, or asks the administrators for one, as the setting says."""
    user = user_of(request)
    starts = bool(_starts(user))
    if not starts and not may_apply(settings.PACKHOUSE.organizations):
        raise PermissionDenied(_("The administrators of this index start organizations."))
    form = (NewOrganization if starts else Request)(request.POST or None)
    if form.is_valid():
        use(limits.organization(user))
        try:
            if starts:
                made = actions.create_organization(by=user, owner=user, **form.cleaned_data)
                messages.success(request, _("The organization %(name)s is there.") % {"name": made.display_name})
                return redirect("organization-people", made.name)
            actions.apply(by=user, **form.cleaned_data)
        except ValidationError as error:
            give_back(limits.organization(user))
            show(form, error)
        else:
            messages.success(request, _("The administrators have your request. They answer by letter."))
            return redirect("organizations")
    return render(request, "pages/organizations/new.html", {"form": form, "starts": starts})


def _starts(user: User) -> Decision:
    return may_start(settings.PACKHOUSE.organizations, is_staff=user.is_staff)


@require_safe
@for_users(recent=False)
def invitation(request: HttpRequest) -> HttpResponse:
    """Where the link of an invitation leads: to its question, for whom it is."""
    found = actions.find_invitation(request.GET.get("token", ""), user_of(request))
    context = {"invitation": found, "form": Decline()}
    return render(request, "pages/organizations/invitation.html", context, status=200 if found else 410)


@require_POST
@for_users(recent=False)
def accept(request: HttpRequest, number: int) -> HttpResponse:
    """Joins."""
    joined = actions.accept_invitation(by=user_of(request), number=number)
    if joined is None:
        return _too_late(request)
    messages.success(request, _("You are a member of %(name)s now.") % {"name": joined.display_name})
    return redirect("organization-projects", joined.name)


@require_POST
@for_users(recent=False)
def decline(request: HttpRequest, number: int) -> HttpResponse:
    """Does not join."""
    form = Decline(request.POST)
    if not form.is_valid():
        raise Http404
    left = actions.decline_invitation(by=user_of(request), number=number, message=form.cleaned_data["message"])
    if left is None:
        return _too_late(request)
    messages.success(request, _("You declined to join %(name)s.") % {"name": left.display_name})
    return redirect("organizations")


def _too_late(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("This invitation was answered, taken back, or has expired."))
    return redirect("organizations")
