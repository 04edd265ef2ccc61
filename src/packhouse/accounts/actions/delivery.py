"""What letters that came back teach about addresses."""

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F

from packhouse.accounts.actions.users import subject
from packhouse.accounts.models import AddressState
from packhouse.audit import actions as audit

MOST_TRANSIENT_BOUNCES = 5
"""Letters that may come back for now, one after the other, before their address counts as gone."""


def unverify_address(address: EmailAddress, *, reason: AddressState.UnverifyReason, by: audit.Actor = None) -> bool:
    """Make a verified address unverified and remember why; False when it is not verified (any more)."""
    with transaction.atomic():
        if not EmailAddress.objects.filter(pk=address.pk, verified=True).update(verified=False):
            return False
        AddressState.objects.update_or_create(address=address, defaults={"unverify_reason": reason})
        audit.record(
            "email:unverified",
            subject=subject(address.user),
            by=by,
            additional={"email": address.email, "reason": str(reason)},
        )
    return True


def count_transient_bounce(address: EmailAddress) -> None:
    """A letter came back for now; after too many of them without a delivery the address is no longer verified."""
    with transaction.atomic():
        AddressState.objects.get_or_create(address=address)
        AddressState.objects.filter(address=address).update(transient_bounces=F("transient_bounces") + 1)
        if AddressState.objects.get(address=address).transient_bounces > MOST_TRANSIENT_BOUNCES:
            unverify_address(address, reason=AddressState.UnverifyReason.SOFT_BOUNCE)


def forgive_bounces(address: EmailAddress) -> None:
    """A letter arrived: what came back before no longer counts."""
    AddressState.objects.filter(address=address).update(transient_bounces=0)


def note_verified(address: EmailAddress) -> None:
    """The address was verified (again): letters reach it, whatever came back before."""
    AddressState.objects.filter(address=address).update(transient_bounces=0, unverify_reason="")
