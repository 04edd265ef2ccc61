"""Accounts elsewhere that belong to a user."""

import re
import secrets
from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from packhouse.accounts import emails
from packhouse.accounts.actions import users
from packhouse.accounts.actions.addresses import post_verification
from packhouse.accounts.models import User
from packhouse.audit import actions as audit


def add_association(user: User, *, provider: str, uid: str, handle: str, service: str, by: audit.Actor) -> None:
    """Connect the account *uid* of *provider*, once for all users.  Raises ``ValidationError`` for somebody else's."""
    try:
        with transaction.atomic():
            SocialAccount.objects.create(user=user, provider=provider, uid=uid, extra_data={"handle": handle})
            about = {"service": service, "external_username": handle}
            event = audit.record("association:add", subject=users.subject(user), by=by, additional=about)
            emails.account_association_added(user, service=service, handle=handle, cause=str(event.pk))
    except IntegrityError as error:
        if SocialAccount.objects.filter(user=user, provider=provider, uid=uid).exists():
            return
        raise ValidationError(_("That account is connected to another user already.")) from error


def remove_association(user: User, number: int, *, service: str, by: audit.Actor) -> bool:
    """Disconnect; False when the user has none of that number.

    Raises ``ValidationError`` where nothing else would let the user in.
    """
    with transaction.atomic():
        found = SocialAccount.objects.filter(user=user, pk=number).first()
        if found is None:
            return False
        if not user.has_usable_password() and found.provider.startswith("sso-"):
            raise ValidationError(_("Set a password first: without one, this is your only way in."))
        handle = found.extra_data.get("handle", "")
        found.delete()
        about = {"service": service, "external_username": handle}
        event = audit.record("association:remove", subject=users.subject(user), by=by, additional=about)
        emails.account_association_removed(user, service=service, handle=handle, cause=str(event.pk))
    return True


def register_identified(claims: dict[str, Any], *, provider: str, uid: str, service: str) -> User:
    """Create the account of somebody whom single sign-on has identified, without a password.

    The address counts as verified where the provider says so.  Raises ``ValidationError`` where the address is missing
    or belongs to a user already, who then has to connect the two.
    """
    email = str(claims.get("email") or "").strip().lower()
    if not email:
        raise ValidationError(_("%(service)s gives no email address for you.") % {"service": service})
    if EmailAddress.objects.filter(email=email, verified=True).exists():
        raise ValidationError(_("There is an account with your address already. Sign in there, then connect the two."))
    if problem := users.domain_problem(email):
        raise ValidationError(problem)
    name = " ".join(str(claims.get("name") or "").split())[:100]
    user = users.new_user(username=_free_name(str(claims.get("preferred_username") or email)), email=email, name=name)
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        address = EmailAddress.objects.create(
            user=user, email=email, primary=True, verified=claims.get("email_verified") is True
        )
        SocialAccount.objects.create(user=user, provider=provider, uid=uid, extra_data={"handle": user.username})
        event = users.record_creation(user, by=user)
        if not address.verified:
            post_verification(address, cause=str(event.pk))
    return user


def _free_name(wanted: str) -> str:
    """A user name that is like *wanted* and nobody has."""
    stem = re.sub(r"[^a-z0-9._-]+", "-", wanted.partition("@")[0].lower()).strip("._-")[:40] or "user"
    name = stem
    while users.is_taken(name):
        name = f"{stem}-{secrets.token_hex(3)}"
    return name
