"""Organizations themselves: made, changed, deleted."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from packhouse.accounts.models import User
from packhouse.audit.actions import Actor, record
from packhouse.base.facts import announce
from packhouse.organizations import emails, facts
from packhouse.organizations.actions.members import write_member
from packhouse.organizations.models import Kind, MemberRole, Organization, OrganizationName
from packhouse.organizations.naming import check_name, subject
from packhouse.specs.names import normalize

LABELS: Final = {
    "display_name": gettext_lazy("Display name"),
    "kind": gettext_lazy("Kind"),
    "link_url": gettext_lazy("Website"),
    "description": gettext_lazy("Description"),
}


class OwnsProjects(Exception):
    """An organization is not deleted while it owns projects."""


def create_organization(*, by: Actor, owner: User | None, name: str, **about: Any) -> Organization:
    """Start an organization that *owner* owns; *about* are the fields of ``LABELS``.

    Raises ``ValidationError`` for a name that cannot be had.
    """
    normalized = check_name(name)
    organization = Organization(name=name, normalized_name=normalized, **about)
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
            OrganizationName(normalized_name=normalized, organization=organization).save(force_insert=True)
            record("catalog_entry:add", subject=subject(organization), by=by, additional={"name": normalized})
            record("organization:create", subject=subject(organization), by=by)
            announce(facts.OrganizationCreated(organization.pk, normalized))
            if owner is not None:
                write_member(organization, owner, MemberRole.OWNER, by=by)
    except IntegrityError:  # somebody was faster
        raise ValidationError({"name": _("The name “%s” is taken.") % name}) from None
    return organization


def update_organization(*, by: Actor, organization: Organization, changes: Mapping[str, Any]) -> Organization:
    """Write *changes* of the fields of ``LABELS``; a company stays one.  Raises ``ValidationError``."""
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=organization.pk)
        different = {name: value for name, value in changes.items() if getattr(organization, name) != value}
        if not different:
            return organization
        if organization.kind == Kind.COMPANY and "kind" in different:
            raise ValidationError({"kind": _("A company cannot become a community.")})
        told = [
            (LABELS[name], f"{getattr(organization, name) or '-'} → {value or '-'}")
            for name, value in different.items()
        ]
        for name, value in different.items():
            setattr(organization, name, value)
        organization.save(update_fields=list(different))
        event = record(
            "organization:change", subject=subject(organization), by=by, additional={"fields": list(different)}
        )
        emails.updated(organization, told, by=by, cause=event.pk)
        announce(facts.OrganizationChanged(organization.pk, organization.normalized_name))
    return organization


def set_active(*, by: Actor, organization: Organization, active: bool) -> None:
    """Let an organization rest, or wake it up: one that rests is shown to nobody, its projects take no uploads."""
    with transaction.atomic():
        if not Organization.objects.filter(pk=organization.pk, is_active=not active).update(is_active=active):
            return
        tag = "organization:activate" if active else "organization:deactivate"
        record(tag, subject=subject(organization), by=by)
        announce(facts.OrganizationChanged(organization.pk, organization.normalized_name))


def delete_organization(*, by: Actor, organization: Organization) -> None:
    """Delete an organization.  Its name is never free again.  Raises ``OwnsProjects``."""
    with transaction.atomic():
        organization = Organization.objects.select_for_update().get(pk=organization.pk)
        owners, number = emails.owners(organization), organization.pk
        members = tuple(organization.members.order_by("user_id").values_list("user_id", flat=True))
        event = record("organization:delete", subject=subject(organization), by=by)
        try:
            organization.delete()
        except ProtectedError:
            raise OwnsProjects from None
        emails.deleted(organization, owners, by=by, cause=event.pk)
        announce(facts.OrganizationDeleted(number, normalize(organization.name), members))
