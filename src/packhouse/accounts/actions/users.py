"""Accounts as a whole: made, described, frozen."""

from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils.translation import gettext as _

from packhouse.accounts import emails, mail_domains, passwords, queries, welcome_emails
from packhouse.accounts.facts import ProfileChanged
from packhouse.accounts.models import ReservedName, TermsEngagement, User
from packhouse.audit import actions as audit
from packhouse.audit.models import Event
from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.specs.names import skeleton


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
    user = new_user(username=username, email=email, is_superuser=superuser)
    errors = problems_of(user, password)
    if EmailAddress.objects.filter(email__iexact=user.email, verified=True).exists():
        errors.setdefault("email", []).append(_("This email address is already in use by another account."))
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        save_new(user, password, verified=verified)
        record_creation(user, by=by)
    return user


def new_user(*, username: str, email: str, **fields: Any) -> User:
    """An account that is not saved yet."""
    return User(username=username, email=email.strip().lower(), password_date=clock.now(), **fields)


def problems_of(user: User, password: str) -> dict[str, list[str]]:
    """What is wrong with a new account, by field."""
    errors: dict[str, list[str]] = {}
    try:
        user.clean_fields(exclude=["password"])
        user.validate_constraints()
    except ValidationError as error:
        errors.update(error.message_dict)
        if errors.pop("__all__", None):  # the one constraint: names are unique in any case
            errors["username"] = [_("This user name is already taken.")]
    if ReservedName.objects.filter(skeleton=skeleton(user.username)).exists():
        errors.setdefault("username", [_("This user name is already taken.")])
    if not user.email:
        errors["email"] = [_("An email address is required.")]
    if problems := password_problems(user, password):
        errors["password"] = problems
    return errors


def domain_problem(email: str) -> str:
    """What is wrong with the domain of an address; usually nothing.  May ask the name servers: not in a transaction."""
    domain = email.rpartition("@")[2]
    unwanted = _("Addresses at %(domain)s cannot be used here. Give another one.") % {"domain": domain}
    if mail_domains.is_disposable(email) or queries.is_prohibited(email):
        return unwanted
    servers = mail_domains.servers(email)
    if servers is None:
        return _("%(domain)s takes no mail. Look whether the address is spelled right.") % {"domain": domain}
    return unwanted if queries.are_prohibited_servers(servers) else ""


def is_taken(username: str) -> bool:
    """Whether nobody can have this user name (any more)."""
    either = ReservedName.objects.filter(skeleton=skeleton(username))
    return User.objects.filter(username__iexact=username).exists() or either.exists()


def password_problems(user: User, password: str) -> list[str]:
    """Why *user* may not have *password*."""
    try:
        MaxLengthValidator(passwords.LONGEST)(password)
        validate_password(password, user)
    except ValidationError as error:
        return error.messages
    return []


def save_new(user: User, password: str, *, verified: bool) -> EmailAddress:
    """Save an account and its primary address in the caller's transaction.

    Raises ``ValidationError`` where somebody else has just taken the name (or the verified address).
    """
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            address: EmailAddress = EmailAddress.objects.create(
                user=user, email=user.email, primary=True, verified=verified
            )
    except IntegrityError as error:
        raise ValidationError({"username": _("This user name or email address is already taken.")}) from error
    return address


def record_creation(user: User, *, by: audit.Actor) -> Event:
    """Write down that the account was created."""
    about = {"email": user.email, "superuser": user.is_superuser}
    return audit.record("account:create", subject=subject(user), by=by, additional=about)


def subject(user: User) -> audit.Subject:
    """The user as the subject of an audit event."""
    return audit.Subject("user", str(user.uid), user.username)


def change_profile(user: User, *, name: str, public_email: str, by: audit.Actor) -> None:
    """Change what others see.  ``public_email`` must be empty or a verified address of the user.

    Raises ``ValidationError`` where it is not.
    """
    with transaction.atomic():
        own = EmailAddress.objects.filter(user=user, verified=True, email=public_email)
        if public_email and not own.exists():
            raise ValidationError({"public_email": _("This is not a verified address of yours.")})
        old = {"name": user.name, "public_email": user.public_email}
        user.name, user.public_email = name, public_email
        user.full_clean(exclude=["password", "email"], validate_unique=False, validate_constraints=False)
        user.save(update_fields=["name", "public_email"])
        new = {"name": name, "public_email": public_email}
        audit.record("account:profile", subject=subject(user), by=by, additional={"old": old, "new": new})
        if old != new:
            announce(ProfileChanged(user.pk))


def note_sign_in(user: User, *, factor: str | None, label: str = "") -> None:
    """Write down that the user has signed in; *factor* is how, besides the password."""
    with transaction.atomic():
        about = {"two_factor_method": factor, "two_factor_label": label or None}
        audit.record("login:success", subject=subject(user), by=user, additional=about)


def freeze_user(user: User, *, by: audit.Actor, reason: str = "") -> bool:
    """Suspend sessions and tokens; False when they are already."""
    with transaction.atomic():
        changed = User.objects.filter(pk=user.pk, is_frozen=False).update(
            is_frozen=True, session_epoch=F("session_epoch") + 1
        )
        if not changed:
            return False
        user.refresh_from_db()
        event = audit.record("account:freeze", subject=subject(user), by=by, additional={"reason": reason})
        emails.account_frozen(user, cause=str(event.pk))
    return True


def unfreeze_user(user: User, *, by: audit.Actor, reason: str = "") -> bool:
    """Let a suspended user act again; sessions have to be begun anew.  False when the user is not suspended."""
    with transaction.atomic():
        if not User.objects.filter(pk=user.pk, is_frozen=True).update(is_frozen=False):
            return False
        user.refresh_from_db()
        event = audit.record("account:unfreeze", subject=subject(user), by=by, additional={"reason": reason})
        emails.account_unfrozen(user, cause=str(event.pk))
    return True


def reserve_name(name: str, *, reason: str, by: audit.Actor) -> None:
    """Let nobody take the user name *name*, nor one that looks like it."""
    with transaction.atomic():
        ReservedName.objects.get_or_create(
            name=name.lower(), defaults={"skeleton": skeleton(name), "reason": reason[:200]}
        )
        audit.record(
            "prohibited_user_name:add", subject=audit.Subject("index", "index"), by=by, additional={"name": name}
        )


def note_terms(user: User, revision: str, kind: TermsEngagement.Kind) -> None:
    """Remember that the user was shown, or agreed to, a revision of the terms of service; once is enough."""
    TermsEngagement.objects.get_or_create(user=user, revision=revision, kind=kind)


def announce_terms(*, most: int) -> int:
    """Post the present terms of service to at most so many who have neither agreed to them nor been told.

    Returns how many were told.  Only verified addresses get the letter.
    """
    revision = settings.PACKHOUSE.terms_revision
    if not settings.PACKHOUSE.terms_url:
        return 0
    url = f"{settings.PACKHOUSE.public_url}{reverse('terms-of-service')}"
    known = TermsEngagement.objects.filter(user=OuterRef("pk"), revision=revision)
    verified = EmailAddress.objects.filter(user=OuterRef("pk"), primary=True, verified=True)
    due = User.objects.filter(~Exists(known), Exists(verified), is_active=True)[:most]
    for user in due:
        with transaction.atomic():
            note_terms(user, revision, TermsEngagement.Kind.NOTIFIED)
            welcome_emails.terms_changed(user, url=url, revision=revision)
    return len(due)
