"""Whom projects trust: publishers are added and removed, with a trail and letters to everybody who has a role.

Order of locks: project, pending publisher, publisher.
"""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from packhouse.accounts.models import User
from packhouse.audit import actions as audit
from packhouse.audit.models import Event
from packhouse.projects.actions import lock_project
from packhouse.projects.models import Project
from packhouse.publishers import emails, queries
from packhouse.publishers.models import Link, Publisher, Trusted
from packhouse.publishers.wanted import Wanted


def add_publisher(*, project: Project, wanted: Wanted, by: User) -> Publisher:
    """Let *project* trust a publisher.  Raises ``ValidationError`` where it does so already."""
    with transaction.atomic():
        project = lock_project(project.pk)
        publisher = link(project, wanted, added_by=by)
        event = record("oidc:publisher-added", project, publisher, by=by)
        emails.publisher_added(project, publisher, by=by, cause=event.pk)
    return publisher


def remove_publisher(*, project: Project, publisher_id: UUID, by: User) -> None:
    """Let *project* trust a publisher no longer, not even a token that it has.  Raises ``Link.DoesNotExist``."""
    with transaction.atomic():
        project = lock_project(project.pk)
        trust = Link.objects.select_related("publisher").get(project=project, publisher=publisher_id)
        publisher = trust.publisher
        trust.delete()
        event = record("oidc:publisher-removed", project, publisher, by=by)
        emails.publisher_removed(project, publisher, by=by, cause=event.pk)
        forget_unlinked()


def constrain_environment(*, project: Project, publisher_id: UUID, environment: str, by: User) -> Publisher:
    """Let *project* trust a publisher in one environment alone, in place of any.

    Raises ``Link.DoesNotExist``, and ``ValidationError`` where it has an environment already, or none can be had.
    """
    with transaction.atomic():
        project = lock_project(project.pk)
        trust = Link.objects.select_related("publisher").get(project=project, publisher=publisher_id)
        former = trust.publisher
        if former.fields.get("environment") != "":
            raise ValidationError(_("This publisher cannot be constrained to an environment."))
        publisher = link(project, Wanted.of(former, environment=environment), added_by=by)
        trust.delete()
        from_id = {"constrained_from_existing_publisher": str(former.pk)}
        added = record("oidc:publisher-added", project, publisher, by=by, **from_id)
        removed = record("oidc:publisher-removed", project, former, by=by)
        emails.publisher_added(project, publisher, by=by, cause=added.pk)
        emails.publisher_removed(project, former, by=by, cause=removed.pk)
        forget_unlinked()
    return publisher


def link(project: Project, wanted: Wanted, *, added_by: User) -> Publisher:
    """Let *project*, which the caller has locked, trust the publisher: the one that others trust, if there is one.

    Raises ``ValidationError`` where it does so already.
    """
    alike = Publisher.objects.select_for_update().filter(address=wanted.address)
    if any(one.links.filter(project=project).exists() for one in alike if _are_one(one, wanted)):
        raise ValidationError(_("The project trusts this publisher already."))
    publisher, _new = Publisher.objects.get_or_create(
        address=wanted.address, pinned=wanted.pinned, defaults=wanted.columns
    )
    Link.objects.create(project=project, publisher=publisher, added_by=added_by)
    return publisher


def forget_unlinked() -> None:
    """Delete publishers that nobody trusts.  Looked at twice: somebody may just have begun to."""
    seen = [one.pk for one in Publisher.objects.select_for_update(of=("self",)).filter(links=None)]
    Publisher.objects.filter(pk__in=seen, links=None).delete()


def record(tag: str, project: Project, publisher: Publisher, *, by: audit.Actor, **more: Any) -> Event:
    """The event on the project."""
    subject = audit.Subject("project", str(project.uid), project.name)
    username = by.get_username() if isinstance(by, User) else ""
    return audit.record(tag, subject=subject, by=by, additional=about(publisher) | {"submitted_by": username} | more)


def about(trusted: Trusted) -> dict[str, Any]:
    """A publisher as the trail has it."""
    return {
        "publisher": trusted.kind,
        "id": str(trusted.pk),
        "specifier": queries.words_of(trusted),
        "url": queries.url_of(trusted),
    }


def _are_one(publisher: Publisher, wanted: Wanted) -> bool:
    """Of the same address: whether it may turn out to be the very same."""
    return publisher.pinned == wanted.pinned or "" in {publisher.pinned, wanted.pinned}
