"""Posting letters, and writing down what becomes of them."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import translation

from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.base.statements import Question
from packhouse.mail import tasks
from packhouse.mail.draft import Draft, lay_out, one_line
from packhouse.mail.facts import LetterSent
from packhouse.mail.models import Letter
from packhouse.queue import actions as queue
from packhouse.queue import leases
from packhouse.queue.backend import current

log = logging.getLogger(__name__)

WINDOW: Final = timedelta(hours=1)
MOST: Final = {Letter.Kind.REQUESTED: 5, Letter.Kind.NOTICE: 30}
"""Letters that one address gets within ``WINDOW``.  What guards an account (``SECURITY``) always leaves."""

MAX_ATTEMPTS: Final = 24
"""How often a letter's own task tries before the letter is given up: some fifteen hours."""
CLAIM: Final = timedelta(seconds=150)
"""How long a claim holds at most; longer than the task's time limit, so that nobody hands over what another may."""

LONGEST_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Turn:
    """Which letter the caller is to hand over; when none, whether one waits all the same that another has."""

    letter: Letter | None = None
    is_taken: bool = False


def post(
    name: str,
    draft: Callable[[], Draft],
    *,
    to: str,
    user_id: int | None,
    language: str,
    cause: str,
    kind: Letter.Kind = Letter.Kind.NOTICE,
    is_secret: bool = False,
) -> Letter:
    """Write a letter in the caller's transaction; it leaves after the commit.

    *draft* is called under the reader's *language*.  *cause* names what the letter tells of (an id, not a secret): if
    the same *name* and *cause* have made a letter to this address, that letter is returned and nothing is posted.  Over
    the limit of its *kind* the letter is kept as withheld.  *is_secret*: the text holds a link that lets its reader in.
    Raises ``ValueError`` when subject or address are not one line each, ``RuntimeError`` outside a transaction.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError(f"{name} was posted outside a transaction")
    with translation.override(language):
        laid_out = lay_out(draft(), language)
    letter = Letter(
        name=name,
        cause=_cause(name, cause),
        kind=kind,
        to=one_line(to),
        user_id=user_id,
        language=language,
        subject=laid_out.subject,
        text=laid_out.text,
        html=laid_out.html,
        is_secret=is_secret,
        created_at=clock.now(),
    )
    if _is_too_much(letter):
        letter.state, letter.text, letter.html = Letter.State.WITHHELD, "", ""
    return _once(letter)


def _cause(name: str, cause: str) -> str:
    if len(whole := f"{name}:{cause}") > 200:
        raise ValueError(f"a cause of more than 200 characters: {whole[:60]}…")
    return whole


def _once(letter: Letter) -> Letter:
    """Write *letter*, unless one with its cause is there; of several writers the database lets one through."""
    Letter.objects.bulk_create([letter], ignore_conflicts=True)
    written = Letter.objects.get(cause=letter.cause, to=letter.to)
    if written.uid == letter.uid and written.state == Letter.State.QUEUED:
        tasks.send.enqueue(written.pk)
    return written


def _is_too_much(letter: Letter) -> bool:
    most = MOST.get(Letter.Kind(letter.kind))
    if most is None:
        return False
    window = (letter.created_at - WINDOW, letter.created_at + WINDOW)  # what a wrong clock wrote is not of this hour
    lately = Letter.objects.filter(to=letter.to, kind=letter.kind, created_at__range=window)
    return lately.exclude(state=Letter.State.WITHHELD).count() >= most


def claim_oldest(address: str) -> Turn:
    """Make the oldest letter that waits for *address* this task's to hand over."""
    letter = _OLDEST.object(Letter, address)
    if letter is None:
        return Turn()
    return Turn(letter) if claim(letter) else Turn(is_taken=True)


_OLDEST = Question(lambda address: Letter.objects.unsent().filter(to=address).order_by("pk")[:1], str)


def claim(letter: Letter) -> bool:
    """Make *letter* this task's to hand over; False when another has it or it has left.

    Never waits for a row, because the caller's transaction may have changed others.
    """
    now, run = clock.now(), current.get()
    task, attempt = (run.pk, run.attempts) if run else (None, None)
    one = Letter.objects.filter(pk=letter.pk)
    queued = letter.state == Letter.State.QUEUED  # the usual case, which needs no look at the queue
    free = one.filter(state=Letter.State.QUEUED) if queued else one.claimable(now - CLAIM, task)
    free = free.select_for_update(skip_locked=True)
    claimed = {"claimed_at": now, "claimed_task": task, "claimed_attempt": attempt}
    with transaction.atomic(savepoint=False):
        return Letter.objects.filter(pk__in=free.values("pk")).update(state=Letter.State.SENDING, **claimed) == 1


def note_sent(letter: Letter, provider_id: str, *, keeps_text: bool, goes_on: bool = False) -> Turn:
    """Write down that *letter* has left; what lets its reader in goes with it, unless the port shows it anyway.

    If the caller *goes_on*, the same transaction claims the next letter to that address, and tells which it is.
    """
    change = {"state": Letter.State.SENT, "provider_id": provider_id, "last_error": ""}
    if letter.is_secret and not keeps_text:
        change |= {"text": "", "html": ""}
    with transaction.atomic():
        if _settle(letter, sent_at=clock.now(), **change):
            announce(LetterSent(letter.pk, letter.name, letter.to, letter.user_id, letter.subject))
        return _turn_after(letter, goes_on=goes_on)


def note_refused(letter: Letter, problem: str, *, goes_on: bool = False) -> Turn:
    """Write down that *letter* can not leave, now or later; otherwise like ``note_sent``."""
    with transaction.atomic():
        _settle(letter, state=Letter.State.FAILED, last_error=problem[:LONGEST_ERROR])
        turn = _turn_after(letter, goes_on=goes_on)
    log.warning("letter %s (%s) could not be sent: %s", letter.pk, letter.name, problem)
    return turn


def note_delayed(letter: Letter, problem: str) -> None:
    """Write down that *letter* could not leave for now."""
    _settle(letter, state=Letter.State.QUEUED, last_error=problem[:LONGEST_ERROR])
    log.warning("letter %s (%s) could not be sent: %s", letter.pk, letter.name, problem)


def _settle(letter: Letter, **change: str | datetime) -> bool:
    claimed = Letter.objects.filter(pk=letter.pk, state=Letter.State.SENDING)
    return claimed.update(**change, attempts=letter.attempts + 1, settled_at=clock.now()) == 1


def _turn_after(letter: Letter, *, goes_on: bool) -> Turn:
    """What follows *letter*, whose own task has nothing left to do; nor has this one when no letter waits any more."""
    queue.take_over(tasks.send, letter.pk)
    turn = claim_oldest(letter.to) if goes_on else Turn(is_taken=True)
    run = current.get()
    if run is not None and turn == Turn():
        leases.finish(run)
    return turn


def give_up(letter: Letter, problem: str) -> bool:
    """Try *letter* no more, which *problem* has kept from leaving for so long; False when it does not wait."""
    waiting = Letter.objects.filter(pk=letter.pk, state=Letter.State.QUEUED)
    change = {"state": Letter.State.FAILED, "last_error": problem[:LONGEST_ERROR], "settled_at": clock.now()}
    if not waiting.update(**change):
        return False
    log.error("letter %s (%s) could not be sent at all: %s", letter.pk, letter.name, problem)
    return True


def forget_reader(user_id: int) -> int:
    """Delete the letters of a user who is gone; returns how many.  What is on its way is not sent any more."""
    return Letter.objects.filter(user_id=user_id).delete()[0]


def send_again(letter_id: int) -> bool:
    """Queue a letter that could not be sent once more; False when there is no such letter."""
    with transaction.atomic():
        failed = Letter.objects.filter(pk=letter_id, state=Letter.State.FAILED).exclude(text="")
        if not failed.update(state=Letter.State.QUEUED, attempts=0):
            return False
        tasks.send.enqueue(letter_id)
    return True
