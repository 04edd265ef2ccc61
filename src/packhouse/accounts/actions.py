"""Changes to users."""

from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction

from packhouse.accounts.models import User
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
