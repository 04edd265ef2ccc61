"""Sessions and the browsers that they are held in."""

from datetime import timedelta
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from packhouse.accounts import emails, links
from packhouse.accounts.actions.users import subject
from packhouse.accounts.models import Device, User
from packhouse.audit import actions as audit
from packhouse.base import clock
from packhouse.base.identity import current_request

NOTED_AT: Final = "noted_at"
PROVED_AT: Final = "proved_at"
"""Session keys: when its use was last noted, and when its user last proved who they are (seconds since the epoch)."""
CONFIRMABLE_FOR: Final = timedelta(hours=1)


def note_session_use(request: HttpRequest) -> None:
    """Note from where and when the session of *request* is used; its life begins anew."""
    now, origin = clock.now(), current_request.get()
    request.session[NOTED_AT] = now.timestamp()
    UserSession.objects.update_or_create(
        session_key=_key_of(request),
        defaults={
            "user_id": request.user.pk,
            "ip": origin.address or "0.0.0.0",  # noqa: S104 (an address is required; this one is nobody's)
            "user_agent": origin.user_agent[:200],
            "last_seen_at": now,
        },
        create_defaults={
            "user_id": request.user.pk,
            "ip": origin.address or "0.0.0.0",  # noqa: S104
            "user_agent": origin.user_agent[:200],
            "last_seen_at": now,
            "created_at": now,
        },
    )


def note_proof(request: HttpRequest) -> None:
    """Note that the user of this session has just proved who they are."""
    request.session[PROVED_AT] = clock.now().timestamp()


def end_other_sessions(user: User, request: HttpRequest | None = None) -> None:
    """End all sessions of *user*, and make all links in letters worthless; the session of *request* goes on.

    Refused on their next request: a session is bound to ``session_epoch``, and its rows are gone.
    """
    kept = request.session.session_key if request is not None else None
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
        user.refresh_from_db(fields=["session_epoch"])
        _delete(user, except_key=kept)
    if request is not None:
        continue_session(request, user)


def continue_session(request: HttpRequest, user: User) -> None:
    """Let the session of *request* outlive the change of *user* that ended all others; it gets a new id."""
    old_key = request.session.session_key
    update_session_auth_hash(request, user)
    UserSession.objects.filter(session_key=old_key).update(session_key=_key_of(request))


def end_session(request: HttpRequest) -> None:
    """Sign out: the session of *request* is gone."""
    UserSession.objects.filter(session_key=request.session.session_key).delete()
    logout(request)


def revoke_session(user: User, number: int) -> bool:
    """End one session of *user*; False when there is none of that number."""
    with transaction.atomic():
        found = UserSession.objects.filter(user=user, pk=number).first()
        if found is None:
            return False
        Session.objects.filter(session_key=found.session_key).delete()
        found.delete()
        audit.record("session:revoked", subject=subject(user), by=user, additional=_told(found))
    return True


def revoke_other_sessions(user: User, request: HttpRequest) -> None:
    """End all sessions of *user* but that of *request*."""
    with transaction.atomic():
        audit.record("session:revoked", subject=subject(user), by=user, additional={"all": True})
        end_other_sessions(user, request)


def _told(session: UserSession) -> dict[str, Any]:
    return {"address": session.ip, "user_agent": session.user_agent}


def _delete(user: User, *, except_key: str | None) -> None:
    own = UserSession.objects.filter(user=user).exclude(session_key=except_key or "")
    Session.objects.filter(session_key__in=list(own.values_list("session_key", flat=True))).delete()
    own.delete()


def _key_of(request: HttpRequest) -> str:
    if request.session.session_key is None:
        request.session.save()
    return request.session.session_key or ""


def know_device(user: User, secret: str, *, confirmed: bool) -> Device:
    """Remember the browser whose cookie holds *secret*.  What is confirmed stays confirmed."""
    now, origin = clock.now(), current_request.get()
    with transaction.atomic():
        device, _created = Device.objects.get_or_create(
            user=user, digest=links.digest(secret), defaults={"created": now, "address": origin.address}
        )
        Device.objects.filter(pk=device.pk).update(
            last_used=now, address=origin.address, user_agent=origin.user_agent[:512]
        )
        if confirmed:
            Device.objects.filter(pk=device.pk, confirmed_at=None).update(confirmed_at=now, link="")
    device.refresh_from_db()
    return device


def ask_about_device(user: User, secret: str, *, factor: str) -> None:
    """Let the browser with *secret* wait for the link in a letter."""
    link = links.new_secret()
    with transaction.atomic():
        device = know_device(user, secret, confirmed=False)
        Device.objects.filter(pk=device.pk).update(link=links.digest(link), last_used=clock.now())
        about = {"two_factor_method": factor}
        event = audit.record("login:new_device", subject=subject(user), by=user, additional=about)
        hours = int(CONFIRMABLE_FOR.total_seconds() // 3600)
        emails.unrecognized_login(user, url=links.address("confirm-login", link), hours=hours, cause=str(event.pk))


def confirm_device(user: User, secret: str, link: str) -> bool:
    """Confirm the browser with *secret*, once, by the link that was mailed for it; False for anything else."""
    now = clock.now()
    waiting = Device.objects.filter(
        user=user,
        digest=links.digest(secret),
        link=links.digest(link),
        confirmed_at=None,
        last_used__gte=now - CONFIRMABLE_FOR,
    )
    return waiting.update(confirmed_at=now, link="") == 1
