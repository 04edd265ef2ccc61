"""Recording events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction

from packhouse.audit.models import Event
from packhouse.audit.tags import TAGS
from packhouse.base.identity import Identity, RequestFacts, current_request
from packhouse.base.statements import Insertion

Actor = Identity | AbstractBaseUser | None
"""Who acts: an identity, a user, or None for the operator's command line and the index itself."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event happened to.  ``kind`` is one of the keys of ``tags.TAGS``; ``id`` outlives a renaming."""

    kind: str
    id: str
    name: str = ""


def record(
    tag: str,
    *,
    subject: Subject,
    by: Actor = None,
    request: RequestFacts | None = None,
    additional: Mapping[str, Any] | None = None,
) -> Event:
    """Write an event into the caller's transaction.

    ``request`` defaults to the request being answered.  ``additional`` must be JSON and free of secrets.
    Raises ``KeyError`` for a tag that ``audit.tags`` does not declare for that kind of subject, and ``RuntimeError``
    outside a transaction: an event that can be lost or outlive its cause is no evidence.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{tag} was recorded outside a transaction")
    event = drafted(tag, subject=subject, by=by, request=request, additional=additional)
    NEW_EVENT.write(event)
    return event


def drafted(
    tag: str,
    *,
    subject: Subject,
    by: Actor = None,
    request: RequestFacts | None = None,
    additional: Mapping[str, Any] | None = None,
) -> Event:
    """The same without writing it, for who writes it in the same transaction together with other rows."""
    if tag not in TAGS[subject.kind]:
        raise KeyError(f"{tag} is not declared for {subject.kind} in packhouse.audit.tags")
    origin = request or current_request.get()
    actor_id, actor, token = _actor(by)
    return Event(
        tag=tag,
        subject_kind=subject.kind,
        subject_id=subject.id,
        subject_name=subject.name[:255],
        actor_id=actor_id,
        actor=actor,
        token=token,
        address=origin.address[:45],
        user_agent=origin.user_agent[:512].replace("\x00", ""),
        request_id=origin.request_id[:64],
        additional=dict(additional or {}),
    )


NEW_EVENT = Insertion(Event)


def forget_before(moment: datetime, *, at_most: int) -> int:
    """Delete events older than *moment*, the oldest first and *at_most* so many; returns how many went."""
    oldest = Event.objects.filter(at__lt=moment).order_by("at").values("pk")[:at_most]
    return Event.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))).delete()[0]


def _actor(by: Actor) -> tuple[int | None, str, UUID | None]:
    if by is None:
        return None, "", None
    if isinstance(by, Identity):
        return by.user_id, by.name[:50], by.token.id if by.token else None
    return by.pk, by.get_username(), None
