"""The people of an organization."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from packhouse.accounts.limits import give_back, use
from packhouse.accounts.queries import user_named
from packhouse.accounts.views.registration import show
from packhouse.base import clock
from packhouse.organizations import actions, queries
from packhouse.organizations.forms import Invite, roles_for
from packhouse.organizations.models import Member, MemberRole
from packhouse.pages.organizations import limits
from packhouse.pages.organizations.access import Desk, for_members


@require_http_methods(["GET", "POST"])
@for_members("read")
def people(desk: Desk) -> HttpResponse:
    """Lists members and invitations, and invites one more person."""
    sent = desk.request.method == "POST"
    if sent:
        desk.must("manage")
    form = Invite(desk.request.POST if sent else None, kind=desk.organization.kind)
    if sent and form.is_valid() and _invited(desk, form):
        return _back(desk)
    return desk.page(
        "people",
        "people",
        form=form,
        members=queries.members_of(desk.organization),
        invitations=queries.invitations_of(desk.organization) if desk.may("manage") else (),
        roles=roles_for(desk.organization.kind),
        me=desk.user,
        now=clock.now(),
    )


def _invited(desk: Desk, form: Invite) -> bool:
    user = user_named(form.cleaned_data["username"])
    if user is None or not user.is_active:
        form.add_error("username", _("There is no user of that name."))
        return False
    role = MemberRole(form.cleaned_data["role"])
    use(limits.invitation(desk.user))
    try:
        actions.invite_member(by=desk.user, organization=desk.organization, user=user, role=role)
    except ValidationError as error:
        give_back(limits.invitation(desk.user))
        show(form, error)
        return False
    messages.success(desk.request, _("The invitation to %(user)s is on its way.") % {"user": user.username})
    return True


@require_POST
@for_members("manage")
def change_role(desk: Desk, number: int) -> HttpResponse:
    """Gives a member another role: anybody but oneself."""
    member = _member(desk, number)
    if member.user == desk.user:
        raise PermissionDenied(_("Another owner changes your role."))
    wanted = desk.request.POST.get("role", "")
    if wanted not in MemberRole.values:
        raise Http404
    try:
        role = MemberRole(wanted)
        actions.change_role(by=desk.user, organization=desk.organization, user_id=member.user_id, role=role)
        messages.success(desk.request, _("The role of %(user)s is changed.") % {"user": member.user.username})
    except ValidationError as error:
        messages.error(desk.request, error.messages[0])
    except (actions.LastOwner, Member.DoesNotExist):
        messages.error(desk.request, _("An organization keeps at least one owner."))
    return _back(desk)


@require_POST
@for_members("read")
def remove(desk: Desk, number: int) -> HttpResponse:
    """Removes a member, or lets one leave."""
    member = _member(desk, number)
    leaves = member.user == desk.user
    desk.must("leave" if leaves else "manage")
    try:
        actions.remove_member(by=desk.user, organization=desk.organization, user_id=member.user_id)
    except actions.LastOwner:
        messages.error(desk.request, _("An organization keeps at least one owner."))
        return _back(desk)
    if leaves:
        told = _("You are no longer a member of %(name)s.") % {"name": desk.organization.display_name}
        messages.success(desk.request, told)
        return redirect("organizations")
    messages.success(desk.request, _("%(user)s is no longer a member.") % {"user": member.user.username})
    return _back(desk)


@require_POST
@for_members("manage", recent=False)
def resend(desk: Desk, number: int) -> HttpResponse:
    """Posts an invitation once more."""
    use(limits.invitation(desk.user))
    if actions.resend_invitation(by=desk.user, organization=desk.organization, number=number):
        messages.success(desk.request, _("The invitation is on its way again. The link in the former letter is void."))
    else:
        messages.error(desk.request, _("This invitation was answered or taken back already."))
    return _back(desk)


@require_POST
@for_members("manage", recent=False)
def revoke(desk: Desk, number: int) -> HttpResponse:
    """Takes an invitation back."""
    if actions.revoke_invitation(by=desk.user, organization=desk.organization, number=number):
        messages.success(desk.request, _("The invitation is taken back."))
    else:
        messages.error(desk.request, _("This invitation was answered or taken back already."))
    return _back(desk)


def _member(desk: Desk, number: int) -> Member:
    found = desk.organization.members.filter(pk=number).select_related("user").first()
    if found is None:
        raise Http404
    return found


def _back(desk: Desk) -> HttpResponse:
    return redirect("organization-people", desk.organization.name)
