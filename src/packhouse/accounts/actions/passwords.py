"""Passwords: proved, changed, reset, disabled."""

from typing import Final

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.http import HttpRequest

from packhouse.accounts import bans, emails, limits, links, passwords
from packhouse.accounts.actions.sessions import continue_session, end_other_sessions
from packhouse.accounts.actions.users import password_problems, subject
from packhouse.accounts.models import User
from packhouse.audit import actions as audit
from packhouse.base import clock, metrics

NOBODY: Final = audit.Subject("user", "unknown")
"""Whom a sign-in under a name that nobody has is recorded for, so that it takes as long and can be counted."""


def prove_password(username: str, password: str, *, failure: str = "login:failure") -> User | None:
    """The user of that name, if the password is theirs; None otherwise, after the same work.

    None as well where the address that it comes from is banned.
    A failure is counted and recorded under the tag *failure*.  Raises ``TooManyRequests`` before anything is looked at.
    Says nothing about whether the account may be used: ask ``user.can_act``.
    """
    with limits.attempt(limits.sign_in(username)) as attempt:
        user = User.objects.filter(username__iexact=username.strip()).first()
        if not passwords.matches(user, password) or user is None or not user.is_active or bans.is_banned():
            metrics.count("packhouse_authentications", "password", "refused")
            _record_failure(user, failure)
            return None
        attempt.succeeded()
    metrics.count("packhouse_authentications", "password", "accepted")
    if passwords.is_outdated(user.password):
        User.objects.filter(pk=user.pk, password=user.password).update(password=make_password(password))
        user.refresh_from_db(fields=["password"])
    return user


def _record_failure(user: User | None, tag: str) -> None:
    with transaction.atomic():
        audit.record(tag, subject=subject(user) if user else NOBODY, additional={"reason": "invalid_password"})


def refuse_compromised(user: User, password: str) -> bool:
    """Disable a password, just proved, that is among the most common or known from a breach; whether it was."""
    if not passwords.is_compromised(password):
        return False
    disable_password(user, reason=User.DisabledFor.COMPROMISED, by=None)
    return True


def disable_password(user: User, *, reason: User.DisabledFor, by: audit.Actor) -> None:
    """Let the password work no more, and end all sessions; a letter says how to get a new one."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(disabled_for=reason)
        end_other_sessions(user)
        event = audit.record("password:disabled", subject=subject(user), by=by, additional={"reason": str(reason)})
        tell = (
            emails.password_compromised_hibp
            if reason == User.DisabledFor.COMPROMISED
            else emails.password_reset_by_admin
        )
        tell(user, cause=str(event.pk))


def change_password(user: User, new: str, *, request: HttpRequest | None = None, by: audit.Actor) -> None:
    """Set another password, the present one having been proved; other sessions and earlier links end.

    Raises ``ValidationError`` with the problems of the new one.
    """
    if problems := password_problems(user, new):
        raise ValidationError({"password": problems})
    with transaction.atomic():
        user.set_password(new)
        user.password_date = clock.now()
        user.disabled_for = User.DisabledFor.NOTHING
        user.save(update_fields=["password", "password_date", "disabled_for"])
        event = audit.record("password:change", subject=subject(user), by=by)
        emails.password_changed(user, cause=str(event.pk))
        end_other_sessions(user)
    if request is not None:
        continue_session(request, user)


def request_password_reset(typed: str) -> None:
    """Post what whoever typed a user name or an address gets: the link, why there is none, or nothing.

    To be run in the background, so that nobody can tell by the time it takes.
    """
    address = _address_of(typed.strip())
    if address is None:
        return
    user: User = address.user
    with transaction.atomic():
        if not address.verified or not user.can_reset_password:
            event = audit.record("password:reset:attempt", subject=subject(user))
            if not address.verified and "@" in typed:
                emails.password_reset_unverified(user, address.email, cause=str(event.pk))
            return
        event = audit.record("password:reset:request", subject=subject(user))
        token = reset_token(user, address)
        hours = links.hours(links.RESET)
        emails.password_reset(
            user, address.email, url=links.address("reset-password", token), hours=hours, cause=str(event.pk)
        )


def _address_of(typed: str) -> EmailAddress | None:
    known = EmailAddress.objects.select_related("user").filter(user__is_active=True)
    if "@" in typed:
        found: EmailAddress | None = known.filter(email=typed.lower()).order_by("-verified", "pk").first()
    else:
        found = known.filter(user__username__iexact=typed, primary=True).first()
    return found


def reset_token(user: User, address: EmailAddress) -> str:
    """What the link in the letter carries."""
    return links.sign(links.RESET, user=user.pk, state=_state(user), address=address.pk, email=address.email)


def _state(user: User) -> list[str | int]:
    """What a reset link is bound to: any sign-in and any change of the password make it worthless."""
    return [user.session_epoch, user.last_login.isoformat() if user.last_login else ""]


def user_of_reset(token: str) -> User | None:
    """Whose password a mailed link may set, as things stand."""
    payload = links.read(links.RESET, token)
    if payload is None:
        return None
    user = User.objects.filter(pk=payload["user"]).filter(_has_address(payload["address"], payload["email"])).first()
    return user if user is not None and user.can_reset_password and _state(user) == payload["state"] else None


def _has_address(number: int, email: str) -> Exists:
    return Exists(EmailAddress.objects.filter(user=OuterRef("pk"), pk=number, email=email, verified=True))


def reset_password(token: str, new: str) -> User | None:
    """Set the password by a mailed link, once; None where the link is not (or no longer) good.

    All sessions end.  The second factor stays: signing in still asks for it.
    Raises ``ValidationError`` with the problems of the new password.
    """
    user, payload = user_of_reset(token), links.read(links.RESET, token)
    if user is None or payload is None:
        return None
    if problems := password_problems(user, new):
        raise ValidationError({"password": problems})
    unchanged = User.objects.filter(
        _has_address(payload["address"], payload["email"]),
        pk=user.pk,
        session_epoch=user.session_epoch,
        last_login=user.last_login,
        is_active=True,
        is_frozen=False,
    )
    encoded = make_password(new)
    with transaction.atomic():
        changed = unchanged.update(
            password=encoded,
            password_date=clock.now(),
            disabled_for=User.DisabledFor.NOTHING,
            session_epoch=F("session_epoch") + 1,
        )
        if changed != 1:
            return None
        user.refresh_from_db()
        end_other_sessions(user)
        event = audit.record("password:reset", subject=subject(user), by=user)
        emails.password_changed(user, cause=str(event.pk))
    _forgive(user, payload["email"])
    return user


def _forgive(user: User, email: str) -> None:
    """Whoever set the password anew gets the whole limits of the account back, so that they can sign in at once."""
    of_the_account = [limits.sign_in(user.username)[0]]
    for typed in (user.username, email):
        of_the_account += limits.password_reset(typed)
    limits.forget(of_the_account)
