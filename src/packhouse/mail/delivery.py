"""What Amazon SES tells of letters: delivered, returned, reported as spam."""

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from django.db import IntegrityError, transaction

from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.mail import facts
from packhouse.mail.models import Letter, Notification

State = Letter.State

FOLLOWS: Final[dict[State, frozenset[State]]] = {
    State.DELIVERED: frozenset({State.SENT, State.DELAYED, State.BOUNCED}),
    State.DELAYED: frozenset({State.SENT}),
    State.BOUNCED: frozenset({State.SENT, State.DELAYED, State.DELIVERED}),
    State.COMPLAINED: frozenset({State.SENT, State.DELAYED, State.DELIVERED, State.BOUNCED}),
}
"""Which states each new one may follow.  News come in any order; late news of an earlier state change nothing."""


class Unknown(Exception):
    """News of a kind or of a letter that is not known here."""


@dataclass(frozen=True, slots=True)
class News:
    """What has become of the letter that SES knows as *provider_id*."""

    provider_id: str
    state: State

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the JSON of an SES notification or event.  Raises ``Unknown``."""
        try:
            event: Any = json.loads(text)
            kind = event.get("notificationType") or event["eventType"]
            return cls(str(event["mail"]["messageId"]), _state(kind, event))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Unknown("not a notification about a letter") from None


def _state(kind: str, event: dict[str, Any]) -> State:
    if kind == "Bounce":
        return State.BOUNCED if event["bounce"]["bounceType"] == "Permanent" else State.DELAYED
    return {"Delivery": State.DELIVERED, "Complaint": State.COMPLAINED}[kind]


def take_note(message_id: str, news: News) -> None:
    """Let *news* take effect, once for each *message_id*.  Raises ``Unknown``; then nothing has happened."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                Notification.objects.create(message_id=message_id)
        except IntegrityError:
            return
        letter = Letter.objects.filter(provider_id=news.provider_id).first() if news.provider_id else None
        if letter is None:
            raise Unknown("not a letter of ours")
        follows = Letter.objects.filter(pk=letter.pk, state__in=FOLLOWS[news.state])
        follows.update(state=news.state, settled_at=clock.now())
        announce(_fact(letter, news.state))


def _fact(letter: Letter, state: State) -> facts.LetterFact:
    about = (letter.pk, letter.name, letter.to, letter.user_id)
    if state == State.DELIVERED:
        return facts.LetterDelivered(*about)
    if state == State.COMPLAINED:
        return facts.LetterComplained(*about)
    return facts.LetterBounced(*about, is_permanent=state == State.BOUNCED)
