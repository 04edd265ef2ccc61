"""Publishers of projects that do not exist yet.  They reserve no name; whoever has it first has it.

Order of locks: as in ``actions``.
"""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from packhouse.accounts.actions import subject
from packhouse.accounts.models import User
from packhouse.accounts.queries import identity_of
from packhouse.audit import actions as audit
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.decision import ALLOWED, Decision, denied
from packhouse.flags import queries as flags
from packhouse.projects import actions as projects
from packhouse.projects.ledger import Ledger
from packhouse.projects.queries import objection_to
from packhouse.projects.rules import may_create_project
from packhouse.publishers import actions, emails
from packhouse.publishers.models import PendingPublisher, Publisher
from packhouse.publishers.wanted import Wanted
from packhouse.specs.names import skeleton

MOST: Final = 3
"""How many one user may have at a time."""
LIFETIME: Final = timedelta(days=30)
REMINDED_AFTER: Final = timedelta(days=25)
EXPIRED: Final = "system:ttl-expired"


def may_start_projects(user: User) -> Decision:
    """Whether the user may have projects started by a publisher, now."""
    if not settings.PACKHOUSE.upload_creates_projects:
        return denied("uploads-create-no-projects", _("On this index, projects are not started by uploading."))
    if flags.is_on("disallow-new-project-registration"):
        return denied("new-projects-disabled", _("New project registration is temporarily disabled."))
    if not user.can_act:
        return denied("user-may-not-act", _("Your account may not act at the moment."))
    return may_create_project(identity_of(user), two_factor_setting=settings.PACKHOUSE.require_two_factor) and ALLOWED


def add_pending(*, user: User, project_name: str, wanted: Wanted) -> PendingPublisher:
    """Let a publisher start the project *project_name* in the name of *user*.  Raises ``ValidationError``."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # so that two at once are counted one after the other
        _check(user, project_name, wanted)
        pending = PendingPublisher(
            project_name=project_name, skeleton=skeleton(project_name), user=user, **wanted.columns
        )
        try:
            with transaction.atomic():
                pending.save(force_insert=True)
        except IntegrityError:
            raise _taken() from None
        _record("oidc:pending-publisher-added", pending, by=user)
    return pending


def remove_pending(*, user: User, pending_id: UUID) -> None:
    """Remove a pending publisher of *user*.  Raises ``PendingPublisher.DoesNotExist`` for any other."""
    with transaction.atomic():
        pending = PendingPublisher.objects.select_for_update().get(pk=pending_id, user=user)
        _record("oidc:pending-publisher-removed", pending, by=user)
        pending.delete()


def reify(pending: PendingPublisher, pin: str) -> Publisher:
    """Start the project, with the publisher, in the transaction of the caller, who has locked *pending*.

    Raises ``Refused`` where the name cannot be had (any more).
    """
    user, book = pending.user, Ledger(pending.user)
    project = projects.create_project(name=pending.project_name, by=user, ledger=book)
    wanted = Wanted.of(pending)
    publisher = actions.link(project, Wanted(wanted.issuer, wanted.fields, pin), added_by=user)
    more = {"reified_from_pending_publisher": True}
    event = actions.record("oidc:publisher-added", project, publisher, by=user, **more)
    emails.pending_reified(user, project, publisher, cause=event.pk)
    pending.delete()
    book.write()
    return publisher


def invalidate(pending: PendingPublisher) -> None:
    """The project was started by somebody else: the publisher goes, and its user is told."""
    event = _record("oidc:pending-publisher-removed", pending, by=None, reason="project-exists")
    emails.pending_invalidated(pending, cause=event.pk)
    pending.delete()


def expire() -> None:
    """Remove those that are too old, and tell their users.  Safe to run twice."""
    with transaction.atomic():
        for pending in _older_than(LIFETIME):
            event = _record("oidc:pending-publisher-removed", pending, by=None, submitted_by=EXPIRED)
            emails.pending_expired(pending, cause=event.pk)
            pending.delete()


def remind() -> None:
    """Tell users of those that will soon be too old, once.  Safe to run twice."""
    with transaction.atomic():
        for pending in _older_than(REMINDED_AFTER).filter(reminded=None):
            pending.reminded = clock.now()
            pending.save(update_fields=["reminded"])
            emails.pending_reminder(pending, ends=pending.created + LIFETIME)


def _older_than(age: timedelta) -> Any:
    old = PendingPublisher.objects.filter(created__lte=clock.now() - age)
    return old.select_for_update(of=("self",)).select_related("user").order_by("pk")


def _check(user: User, project_name: str, wanted: Wanted) -> None:
    if not (decision := may_start_projects(user)):
        raise ValidationError(decision.reason)
    if user.pending_publishers.count() >= MOST:
        raise ValidationError(_("You cannot have more than %d pending publishers at a time.") % MOST)
    if objection := objection_to(project_name):
        raise ValidationError({"project_name": objection.message})
    if PendingPublisher.objects.filter(address=wanted.address).exists():
        raise _taken()


def _taken() -> ValidationError:
    return ValidationError(_("There is a pending publisher for just this, of yours or of somebody else."))


def _record(tag: str, pending: PendingPublisher, *, by: User | None, **more: Any) -> Event:
    told = actions.about(pending) | {"project": pending.project_name, "submitted_by": by.username if by else ""}
    return audit.record(tag, subject=subject(pending.user), by=by, additional=told | more)
