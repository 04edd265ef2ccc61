"""Changes to users."""

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.db.models import F

from packhouse.accounts.models import AddressState, User
from packhouse.audit import actions as audit
from packhouse.base import clock


def create_user(
    *,
    username: str,
    email: str,
    password: str,
    superuser: bool = False,
    verified: bool = False,
    by: audit.Actor = None,
) -> User:
    """Create an account with one primary address, verified or not.

    Raises ``ValidationError`` (its ``message_dict`` names the fields) for a name or verified address that is taken in
    any case, a malformed name or address, and a password that the rules refuse.
    """
    user = User(username=username, email=email.lower(), is_superuser=superuser, password_date=clock.now())
    _validate(user, password)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
            audit.record(
                "account:create", subject=subject(user), by=by, additional={"email": user.email, "superuser": superuser}
            )
    except IntegrityError as error:
        raise ValidationError({"username": "This user name or email address is already taken."}) from error
    return user


def subject(user: User) -> audit.Subject:
    """The user as the subject of an audit event."""
    return audit.Subject("user", str(user.uid), user.username)


def _validate(user: User, password: str) -> None:
    errors: dict[str, list[str]] = {}
    try:
        user.clean_fields(exclude=["password"])
        user.validate_constraints()
    except ValidationError as error:
        errors.update(error.message_dict)
        if errors.pop("__all__", None):  # the one constraint: names are unique in any case
            errors["username"] = ["This user name is already taken."]
    if not user.email:
        errors["email"] = ["An email address is required."]
    elif EmailAddress.objects.filter(email__iexact=user.email, verified=True).exists():
        errors.setdefault("email", []).append("This email address is already in use by another account.")
    try:
        MaxLengthValidator(4096)(password)
        validate_password(password, user)
    except ValidationError as error:
        errors["password"] = error.messages
    if errors:
        raise ValidationError(errors)


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
