"""E-mail addresses: added, verified, made primary, removed."""

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from packhouse.accounts import emails, links, welcome_emails
from packhouse.accounts.actions.delivery import note_verified
from packhouse.accounts.actions.users import domain_problem, subject
from packhouse.accounts.facts import PrimaryAddressChanged, ProfileChanged
from packhouse.accounts.models import User
from packhouse.audit import actions as audit
from packhouse.base.facts import announce

MOST = 10
"""Addresses of one user."""


def add_address(user: User, email: str, *, by: audit.Actor) -> EmailAddress:
    """Add an unverified address and post the link that verifies it; the other addresses are told.

    An address that is verified for somebody else can be added but never verified: its owner gets a letter.
    Raises ``ValidationError`` for an address that is malformed, the user's already, or one too many, and for one at a
    prohibited domain.
    """
    email = email.strip().lower()
    validate_email(email)
    if problem := domain_problem(email):
        raise ValidationError(problem)
    with transaction.atomic():
        own = EmailAddress.objects.filter(user=user)
        if own.filter(email=email).exists():
            raise ValidationError(_("This address is yours already."))
        if own.count() >= MOST:
            raise ValidationError(_("You have too many addresses. Remove one first."))
        address = _create(user, email)
        event = audit.record("email:add", subject=subject(user), by=by, additional={"email": email})
        _post_link_or_warning(address, cause=str(event.pk))
        emails.new_email_added(user, email, cause=str(event.pk))
    return address


def _create(user: User, email: str) -> EmailAddress:
    try:
        with transaction.atomic():
            return EmailAddress.objects.create(user=user, email=email)
    except IntegrityError as error:  # another request has just added it
        raise ValidationError(_("This address is yours already.")) from error


def send_verification(address: EmailAddress, *, by: audit.Actor) -> None:
    """Post the link that verifies *address* once more."""
    with transaction.atomic():
        event = audit.record(
            "email:reverify", subject=subject(address.user), by=by, additional={"email": address.email}
        )
        _post_link_or_warning(address, cause=str(event.pk))


def _post_link_or_warning(address: EmailAddress, *, cause: str) -> None:
    owner = EmailAddress.objects.filter(email=address.email, verified=True).select_related("user").first()
    if owner is None:
        post_verification(address, cause=cause)
    elif owner.user_id != address.user_id:
        welcome_emails.address_in_use(owner.user, owner.email, cause=cause)


def post_verification(address: EmailAddress, *, cause: str) -> None:
    """Post the link that verifies *address*, in the caller's transaction."""
    token = links.sign(links.VERIFY, address=address.pk, user=address.user_id, email=address.email)
    hours = links.hours(links.VERIFY)
    emails.verify_email(address.user, address.email, url=links.address("verify-email", token), hours=hours, cause=cause)


def verify_address(user: User, token: str) -> EmailAddress | None:
    """Verify the address that a mailed link names, once; None where the link is not (or no longer) good for *user*."""
    payload = links.read(links.VERIFY, token)
    if payload is None or payload["user"] != user.pk:
        return None
    unverified = EmailAddress.objects.filter(
        pk=payload["address"], user_id=user.pk, email=payload["email"], verified=False
    )
    try:
        with transaction.atomic():
            if unverified.update(verified=True) != 1:
                return None
            address: EmailAddress = EmailAddress.objects.get(pk=payload["address"])
            note_verified(address)
            audit.record(
                "email:verified",
                subject=subject(user),
                by=user,
                additional={"email": address.email, "primary": address.primary},
            )
    except IntegrityError:  # somebody else has verified this address in the meantime
        return None
    return address


def set_primary_address(user: User, address: EmailAddress, *, by: audit.Actor) -> None:
    """Let letters go to *address*, a verified one of the user's; the old and the new one are told.

    Raises ``ValidationError`` where it is not verified.
    """
    with transaction.atomic():
        old = User.objects.select_for_update().get(pk=user.pk).email
        EmailAddress.objects.filter(user=user, primary=True).update(primary=False)
        if EmailAddress.objects.filter(pk=address.pk, user=user, verified=True).update(primary=True) != 1:
            raise ValidationError(_("Verify this address before you make it the primary one."))
        User.objects.filter(pk=user.pk).update(email=address.email)
        user.email = address.email
        about = {"old_primary": old, "new_primary": address.email}
        event = audit.record("email:primary:change", subject=subject(user), by=by, additional=about)
        emails.primary_email_changed(user, old=old, new=address.email, cause=str(event.pk))
        announce(PrimaryAddressChanged(user.pk))


def remove_address(user: User, address: EmailAddress, *, by: audit.Actor) -> None:
    """Remove an address that is not the primary one; it is told if it was verified.

    Raises ``ValidationError`` for the primary one.
    """
    with transaction.atomic():
        removed, _rows = EmailAddress.objects.filter(pk=address.pk, user=user, primary=False).delete()
        if not removed:
            raise ValidationError(_("The primary address cannot be removed. Make another one primary first."))
        if User.objects.filter(pk=user.pk, public_email=address.email).update(public_email=""):
            announce(ProfileChanged(user.pk))
        event = audit.record("email:remove", subject=subject(user), by=by, additional={"email": address.email})
        if address.verified:
            emails.email_removed(user, address.email, cause=str(event.pk))


def correct_address(user: User, email: str, *, by: audit.Actor) -> EmailAddress:
    """Replace a primary address that was never verified by *email*.

    Raises ``ValidationError`` as ``add_address`` does, and where the primary address is verified.
    """
    with transaction.atomic():
        old = EmailAddress.objects.filter(user=user, primary=True, verified=False).first()
        if old is None:
            raise ValidationError(_("Your primary address is verified already."))
        old.delete()
        address = add_address(user, email, by=by)
        EmailAddress.objects.filter(pk=address.pk).update(primary=True)
        User.objects.filter(pk=user.pk).update(email=address.email)
        user.email = address.email
        about = {"old_primary": old.email, "new_primary": address.email}
        audit.record("email:primary:change", subject=subject(user), by=by, additional=about)
        announce(PrimaryAddressChanged(user.pk))
    return address
