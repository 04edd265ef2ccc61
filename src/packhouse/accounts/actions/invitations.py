"""Invitations to register: made, sent again, withdrawn, redeemed once."""

from datetime import timedelta
from typing import Final

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from packhouse.accounts import links, welcome_emails
from packhouse.accounts.models import Invitation, User
from packhouse.audit import actions as audit
from packhouse.base import clock

INVITED_FOR: Final = timedelta(days=7)
INDEX: Final = audit.Subject("index", "index")


def invite_person(email: str, *, by: User | None) -> str:
    """Invite whoever reads *email* to register; returns the link, which the letter holds as well.

    Raises ``ValidationError`` for an address that is malformed, belongs to an account, or is invited already.
    """
    email = email.strip().lower()
    validate_email(email)
    if EmailAddress.objects.filter(email=email, verified=True).exists():
        raise ValidationError(_("There is an account with this address already."))
    if Invitation.objects.waiting().filter(email=email).exists():
        raise ValidationError(_("This address is invited already. Send that invitation again, or withdraw it."))
    secret = links.new_secret()
    with transaction.atomic():
        Invitation.objects.create(
            email=email, digest=links.digest(secret), invited_by=by, expires=clock.now() + INVITED_FOR
        )
        return _post("invitation:create", email, secret, by=by)


def resend_invitation(number: int, *, by: User | None) -> bool:
    """Post an invitation that was not used once more, with a new link that works as long as the first one did.

    The former link is void.  False where there is no such invitation (any more).
    """
    secret = links.new_secret()
    with transaction.atomic():
        found = Invitation.objects.select_for_update().filter(pk=number, used_at=None).first()
        if found is None:
            return False
        found.digest, found.expires = links.digest(secret), clock.now() + INVITED_FOR
        found.save(update_fields=["digest", "expires"])
        _post("invitation:resend", found.email, secret, by=by)
    return True


def withdraw_invitation(number: int, *, by: User | None) -> bool:
    """Take an invitation back, so that its link lets nobody register.  False where it was used or there is none."""
    with transaction.atomic():
        found = Invitation.objects.filter(pk=number).first()
        if found is None or not Invitation.objects.filter(pk=number, used_at=None).delete()[0]:
            return False
        audit.record("invitation:withdraw", subject=INDEX, by=by, additional={"email": found.email})
    return True


def find_invitation(secret: str) -> Invitation | None:
    """The invitation of that link, if it can still be used."""
    return Invitation.objects.waiting().filter(digest=links.digest(secret)).first()


def redeem_invitation(secret: str) -> Invitation:
    """Use the invitation up; the caller's transaction says whether that holds.

    Raises ``ValidationError`` where it cannot be used (any more).
    """
    found = find_invitation(secret)
    if found is None or not Invitation.objects.waiting().filter(digest=found.digest).update(used_at=clock.now()):
        raise ValidationError({"__all__": _("This invitation has been used or has expired. Ask for another one.")})
    return found


def _post(tag: str, email: str, secret: str, *, by: User | None) -> str:
    link = links.address("register", secret)
    event = audit.record(tag, subject=INDEX, by=by, additional={"email": email})
    name = by.username if by else ""
    welcome_emails.invitation(email, url=link, by=name, days=INVITED_FOR.days, cause=str(event.pk))
    return link
