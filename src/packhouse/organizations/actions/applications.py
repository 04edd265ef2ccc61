"""Asking the administrators for an organization, and their answer."""

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from packhouse.accounts.actions import subject as user_subject
from packhouse.accounts.models import User
from packhouse.audit.actions import Actor, record
from packhouse.base import clock
from packhouse.organizations import emails
from packhouse.organizations.actions.keeping import create_organization
from packhouse.organizations.models import Application, Organization
from packhouse.organizations.naming import check_name

MOST_WAITING: Final = 3
ABOUT: Final = ("display_name", "kind", "link_url", "description")


def apply(*, by: User, name: str, **fields: Any) -> Application:
    """Ask for an organization.  Raises ``ValidationError`` for a name that cannot be had, and for too many requests."""
    application = Application(name=name, normalized_name=check_name(name), submitted_by=by, **fields)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)
        if Application.objects.filter(submitted_by=by, state=Application.State.WAITING).count() >= MOST_WAITING:
            raise ValidationError(_("Wait until the administrators have answered what you asked for before."))
        try:
            with transaction.atomic():
                application.save(force_insert=True)
        except IntegrityError:
            raise ValidationError({"name": _("You have asked for “%s” already.") % name}) from None
        event = record("organization:request", subject=user_subject(by), by=by, additional={"organization_name": name})
        emails.application_received(application, cause=event.pk)
    return application


def approve(*, by: Actor, application: Application, message: str = "") -> Organization:
    """Make the organization, of which the applicant becomes the owner; whoever else asked for the name is declined.

    Raises ``ValidationError`` where the application was decided before or the name is taken.
    """
    with transaction.atomic():
        application = _waiting(application)
        about = {name: getattr(application, name) for name in ABOUT}
        made = create_organization(by=by, owner=application.submitted_by, name=application.name, **about)
        application.organization = made
        _decide(application, Application.State.APPROVED, message, by=by)
        others = Application.objects.filter(
            normalized_name=application.normalized_name, state=Application.State.WAITING
        )
        for other in others.select_related("submitted_by"):
            _decide(other, Application.State.DECLINED, "", by=by)
    return made


def decline(*, by: Actor, application: Application, message: str = "") -> None:
    """Refuse, and say why.  Raises ``ValidationError`` where the application was decided before."""
    with transaction.atomic():
        _decide(_waiting(application), Application.State.DECLINED, message, by=by)


def _waiting(application: Application) -> Application:
    found = Application.objects.select_for_update(of=("self",)).select_related("submitted_by")
    waiting = found.filter(pk=application.pk, state=Application.State.WAITING).first()
    if waiting is None:
        raise ValidationError(_("This request was answered already."))
    return waiting


def _decide(application: Application, state: Application.State, message: str, *, by: Actor) -> None:
    application.state, application.message, application.decided = state, message, clock.now()
    application.save(update_fields=["state", "message", "decided", "organization"])
    tag = "organization:approve" if state == Application.State.APPROVED else "organization:decline"
    told = {"organization_name": application.name}
    event = record(tag, subject=user_subject(application.submitted_by), by=by, additional=told)
    emails.application_decided(application, cause=event.pk)
