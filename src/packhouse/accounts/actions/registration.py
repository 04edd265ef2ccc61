"""Registration."""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import get_language

from packhouse.accounts import welcome_emails
from packhouse.accounts.actions import users
from packhouse.accounts.actions.addresses import post_verification
from packhouse.accounts.actions.invitations import redeem_invitation
from packhouse.accounts.models import Invitation, TermsEngagement, User


def register(*, username: str, name: str, email: str, password: str, invitation: str = "") -> User:
    """Create an account as its own user does it; *invitation* is the secret of an invitation's link.

    An address that is already verified for somebody else is not refused, since that would tell of their account: its
    owner gets a letter instead of the link.  Raises ``ValidationError`` (``message_dict`` names the fields).
    """
    user = users.new_user(username=username, email=email, name=name, language=get_language() or "")
    errors = users.problems_of(user, password)
    if problem := users.domain_problem(user.email):
        errors.setdefault("email", []).append(problem)
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        invited = redeem_invitation(invitation) if invitation else None
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
