"""Registration, and the invitations to it."""

from datetime import timedelta
from typing import Final

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from packhouse.accounts import links, welcome_emails
from packhouse.accounts.actions import users
from packhouse.accounts.actions.addresses import post_verification
from packhouse.accounts.models import Invitation, TermsEngagement, User
from packhouse.audit import actions as audit
from packhouse.base import clock

INVITED_FOR: Final = timedelta(days=7)


def register(*, username: str, name: str, email: str, password: str, invitation: str = "") -> User:
    """Create an account as its own user does it; *invitation* is the secret of an invitation's link.

    An address that is already verified for somebody else is not refused, since that would tell of their account: its
    owner gets a letter instead of the link.  Raises ``ValidationError`` (``message_dict`` names the fields).
    """
    user = users.new_user(username=username, email=email, name=name, language=get_language() or "")
    if errors := users.problems_of(user, password):
        raise ValidationError(errors)
    with transaction.atomic():
        invited = _redeem(invitation) if invitation else None
        owner = EmailAddress.objects.filter(email=user.email, verified=True).select_related("user").first()
        is_proved = invited is not None and invited.email.lower() == user.email and owner is None
        address = users.save_new(user, password, verified=is_proved)
        if invited is not None:
            Invitation.objects.filter(pk=invited.pk).update(used_by=user)
        event = users.record_creation(user, by=user)
        if settings.PACKHOUSE.terms_url:
            users.note_terms(user, settings.PACKHOUSE.terms_revision, TermsEngagement.Kind.AGREED)
        if owner is not None:
            welcome_emails.address_in_use(owner.user, owner.email, cause=str(event.pk))
        elif not is_proved:
            post_verification(address, cause=str(event.pk))
    return user


def find_invitation(secret: str) -> Invitation | None:
    """The invitation of that link, if it can still be used."""
    return Invitation.objects.filter(digest=links.digest(secret), used_at=None, expires__gt=clock.now()).first()


def _redeem(secret: str) -> Invitation:
    """Use the invitation up; the caller's transaction says whether that holds."""
    found = find_invitation(secret)
    if found is None or not Invitation.objects.filter(pk=found.pk, used_at=None).update(used_at=clock.now()):
        raise ValidationError({"__all__": _("This invitation has been used or has expired. Ask for another one.")})
    return found


def invite_person(email: str, *, by: User | None) -> str:
    """Invite whoever reads *email* to register; returns the link, which the letter holds as well."""
    secret = links.new_secret()
    link = links.address("register", secret)
    with transaction.atomic():
        invitation = Invitation.objects.create(
            email=email.strip().lower(),
            digest=links.digest(secret),
            invited_by=by,
            expires=clock.now() + INVITED_FOR,
        )
        event = audit.record(
            "invitation:create", subject=audit.Subject("index", "index"), by=by, additional={"email": invitation.email}
        )
        welcome_emails.invitation(
            invitation.email, url=link, by=by.username if by else "", days=INVITED_FOR.days, cause=str(event.pk)
        )
    return link
