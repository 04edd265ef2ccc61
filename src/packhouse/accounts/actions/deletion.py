"""Accounts are deleted softly: for some days they can be restored, then what is personal is erased."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import F

from packhouse.accounts import emails, links
from packhouse.accounts.actions.sessions import end_other_sessions
from packhouse.accounts.actions.users import reserve_name, subject
from packhouse.accounts.facts import AccountDeleted, AccountErased, AccountRestored
from packhouse.accounts.models import Device, Invitation, TermsEngagement, User
from packhouse.audit import actions as audit
from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.mail import actions as mail


def delete_account(user: User, *, by: audit.Actor) -> bool:
    """Delete an account; every verified address gets the link that takes it back.  False when it is deleted already.

    The caller has made sure that nothing is left without an owner.
    """
    days = settings.PACKHOUSE.account_restore_days
    with transaction.atomic():
        now = clock.now()
        if User.objects.filter(pk=user.pk, is_active=True).update(is_active=False, deleted_at=now) != 1:
            return False
        end_other_sessions(user)
        user.refresh_from_db()
        event = audit.record("account:delete", subject=subject(user), by=by)
        token = links.sign(links.RESTORE, user=user.pk, epoch=user.session_epoch)
        emails.account_deleted(user, undo_url=links.address("restore-account", token), days=days, cause=str(event.pk))
        announce(AccountDeleted(user.pk))
    return True


def restore_account(token: str) -> User | None:
    """Take a deletion back by the mailed link, once; None where the link is not (or no longer) good."""
    payload = links.read(links.RESTORE, token)
    if payload is None:
        return None
    deleted = User.objects.filter(
        pk=payload["user"],
        session_epoch=payload["epoch"],
        is_active=False,
        deleted_at__gt=clock.now() - timedelta(days=settings.PACKHOUSE.account_restore_days),
    )
    with transaction.atomic():
        if deleted.update(is_active=True, deleted_at=None, session_epoch=F("session_epoch") + 1) != 1:
            return None
        user = User.objects.get(pk=payload["user"])
        event = audit.record("account:restore", subject=subject(user), by=user)
        emails.account_restored(user, cause=str(event.pk))
        announce(AccountRestored(user.pk))
    return user


def erase_deleted_accounts() -> int:
    """Erase what is personal of accounts that can no longer be restored; returns how many.  To be run by the clock."""
    before = clock.now() - timedelta(days=settings.PACKHOUSE.account_restore_days)
    due = list(User.objects.filter(is_active=False, deleted_at__lte=before))
    return sum(_erase(user) for user in due)


def _erase(user: User) -> bool:
    """The row stays, because others refer to it, and so does its name, which nobody can take again.

    Roles and tokens go in reaction to the fact; what the trail tells of the account goes with its own time.
    """
    with transaction.atomic():
        erased = User.objects.filter(pk=user.pk, is_active=False, deleted_at=user.deleted_at).update(
            name="", email="", public_email="", password="!", last_login=None, deleted_at=None
        )
        if erased != 1:
            return False
        for personal in (EmailAddress, Authenticator, SocialAccount, Device, UserSession, TermsEngagement):
            personal.objects.filter(user=user).delete()
        Invitation.objects.filter(used_by=user).delete()
        mail.forget_reader(user.pk)
        reserve_name(user.username, reason="deleted by its user", by=None)
        audit.record("account:erase", subject=subject(user))
        announce(AccountErased(user.pk))
    return True
