"""Teams: made, renamed, deleted, joined and left."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from packhouse.accounts.actions import subject as user_subject
from packhouse.accounts.models import User
from packhouse.audit.actions import Actor, Subject, record
from packhouse.audit.models import Event
from packhouse.organizations import emails
from packhouse.organizations.models import Member, MemberRole, Organization, Team, TeamMember
from packhouse.organizations.naming import normalize_team, subject


def create_team(*, by: Actor, organization: Organization, name: str) -> Team:
    """A new team, with nobody in it.  Raises ``ValidationError``."""
    team = Team(organization=organization, name=name, normalized_name=normalize_team(name))
    with transaction.atomic():
        _save(team)
        event = record_both("team:create", team, by=by)
        emails.team_changed(team, created=True, by=by, cause=event.pk)
    return team


def rename_team(*, by: Actor, team: Team, name: str) -> Team:
    """Give the team another name.  Raises ``ValidationError``."""
    before = team.name
    if before == name:
        return team
    team.name, team.normalized_name = name, normalize_team(name)
    with transaction.atomic():
        _save(team)
        record_both("team:rename", team, by=by, previous=before)
    return team


def delete_team(*, by: Actor, team: Team) -> None:
    """Delete a team, and with it all roles that it has on projects."""
    with transaction.atomic():
        event = record_both("team:delete", team, by=by)
        emails.team_changed(team, created=False, by=by, cause=event.pk)
        team.delete()


def add_to_team(*, by: Actor, team: Team, user: User) -> None:
    """Put a member of the organization into the team.  Raises ``ValidationError``."""
    with transaction.atomic():
        held = Member.objects.select_for_update().filter(organization=team.organization_id, user=user).first()
        if held is None or held.role == MemberRole.BILLING:
            raise ValidationError({"username": _("Only owners, managers and members can be in teams.")})
        if TeamMember.objects.get_or_create(team=team, user=user)[1]:
            event = _record_member("team_role:add", team, user, by=by)
            emails.team_member_changed(team, user, added=True, by=by, cause=event.pk)


def remove_from_team(*, by: Actor, team: Team, user: User) -> bool:
    """Take somebody out of the team; False where they are not in it."""
    with transaction.atomic():
        if not TeamMember.objects.filter(team=team, user=user).delete()[0]:
            return False
        event = _record_member("team_role:remove", team, user, by=by)
        emails.team_member_changed(team, user, added=False, by=by, cause=event.pk)
    return True


def team_subject(team: Team) -> Subject:
    """What events of the team are recorded on."""
    return Subject("team", str(team.uid), team.name)


def record_both(tag: str, team: Team, *, by: Actor, **additional: str) -> Event:
    """On the team, and on its organization, whose event is returned."""
    told = {"team_name": team.name, **additional}
    record(tag, subject=team_subject(team), by=by, additional=told)
    return record(tag, subject=subject(team.organization), by=by, additional=told)


def _record_member(tag: str, team: Team, user: User, *, by: Actor) -> Event:
    record(tag, subject=user_subject(user), by=by, additional={"team_name": team.name})
    return record_both(tag, team, by=by, target_user=user.username)


def _save(team: Team) -> None:
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise ValidationError({"name": _("There is a team “%s” already.") % team.name}) from None
