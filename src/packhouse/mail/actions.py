"""Posting letters, and writing down what becomes of them."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import translation

from packhouse.base import clock
from packhouse.base.facts import announce
from packhouse.base.statements import Alteration, Insertion, Question, in_one_go
from packhouse.mail import tasks
from packhouse.mail.draft import Draft, lay_out, one_line
from packhouse.mail.facts import LettersSent, Sent
from packhouse.mail.models import Letter, LetterQuerySet
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
    """The letters that the caller is to hand over, in their order; when none, whether one waits that another has."""

    letters: Sequence[Letter] = ()
    is_taken: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """A claimed letter has left, and its port knows it as ``provider_id``; or it cannot leave, now or later."""

    letter: Letter
    provider_id: str = ""
    refusal: str = ""


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
    _NEW_LETTER.write(letter)
    if letter.pk is None:
        return Letter.objects.get(cause=letter.cause, to=letter.to)
    if letter.state == Letter.State.QUEUED:
        tasks.send.enqueue(letter.pk)
    return letter


_NEW_LETTER = Insertion(Letter, unless_there=True)


def _is_too_much(letter: Letter) -> bool:
    most = MOST.get(Letter.Kind(letter.kind))
    if most is None:
        return False
    window = (letter.created_at - WINDOW, letter.created_at + WINDOW)  # what a wrong clock wrote is not of this hour
    lately = Letter.objects.filter(to=letter.to, kind=letter.kind, created_at__range=window)
    return lately.exclude(state=Letter.State.WITHHELD).count() >= most


def claim_oldest(address: str, most: int) -> Turn:
    """Make the oldest letters that wait for *address*, up to *most*, this task's to hand over."""
    letter = _OLDEST.object(Letter, address)
    if letter is None:
        return Turn()
    if not claim(letter):
        return Turn(is_taken=True)
    return Turn([letter, *_claim_behind(letter, most - 1)] if most > 1 else [letter])


def _claim_behind(letter: Letter, most: int) -> list[Letter]:
    """Those that wait behind *letter*: nobody else takes one of them as long as the oldest is claimed."""
    task, _ = _this_run()
    waiting = Letter.objects.unsent().claimable(clock.now() - CLAIM, task).filter(to=letter.to, pk__gt=letter.pk)
    with transaction.atomic(savepoint=False):
        behind = list(waiting.order_by("pk").select_for_update(skip_locked=True)[:most])
        Letter.objects.filter(pk__in=[one.pk for one in behind]).update(**_claimed())
    return behind


_OLDEST = Question(lambda address: Letter.objects.unsent().filter(to=address).order_by("pk")[:1], str)


def claim(letter: Letter) -> bool:
    """Make *letter* this task's to hand over; False when another has it or it has left.

    Never waits for a row, because the caller's transaction may have changed others.
    """
    task, _ = _this_run()
    one = Letter.objects.filter(pk=letter.pk)
    queued = letter.state == Letter.State.QUEUED  # the usual case, which needs no look at the queue
    free = one.filter(state=Letter.State.QUEUED) if queued else one.claimable(clock.now() - CLAIM, task)
    free = free.select_for_update(skip_locked=True)
    with transaction.atomic(savepoint=False):
        return Letter.objects.filter(pk__in=free.values("pk")).update(**_claimed()) == 1


def _claimed() -> dict[str, Any]:
    task, attempt = _this_run()
    claim = {"claimed_at": clock.now(), "claimed_task": task, "claimed_attempt": attempt}
    return {"state": Letter.State.SENDING, **claim}


def _this_run() -> tuple[int | None, int | None]:
    """The queued task that is at work here, and which attempt of it."""
    run = current.get()
    return (run.pk, run.attempts) if run else (None, None)


def note(outcomes: Sequence[Outcome], *, keeps_text: bool, then: int = 0) -> Turn:
    """Write down what has become of letters to one address; at least one.

    What lets its reader in goes when it has left, unless the port *keeps* the *text* anyway.  The same transaction
    claims the next letters to that address, up to so many as *then* says, and the tasks of those that are done go.
    """
    address = outcomes[0].letter.to
    with transaction.atomic():
        held = _held(outcomes)
        with in_one_go():
            for outcome in held:
                _settle(outcome, keeps_text=keeps_text)
        if sent := [outcome.letter for outcome in held if not outcome.refusal]:
            announce(LettersSent(address, tuple(Sent(one.pk, one.name, one.user_id, one.subject) for one in sent)))
        queue.take_over(tasks.send, [outcome.letter.pk for outcome in outcomes])
        turn = claim_oldest(address, then) if then else Turn(is_taken=True)
        run = current.get()
        if run is not None and turn == Turn():  # no letter waits any more, so this task is done, too
            leases.finish(run)
    for outcome in outcomes:
        if outcome.refusal:
            log.warning("letter %s (%s) could not be sent: %s", outcome.letter.pk, outcome.letter.name, outcome.refusal)
    return turn


def _held(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Those whose letters are still claimed."""
    claimed = Letter.objects.filter(pk__in=[one.letter.pk for one in outcomes], state=Letter.State.SENDING)
    held = set(claimed.select_for_update().values_list("pk", flat=True))
    return [outcome for outcome in outcomes if outcome.letter.pk in held]


def _settle(outcome: Outcome, *, keeps_text: bool) -> None:
    letter, now = outcome.letter, clock.now()
    letter.attempts, letter.settled_at = letter.attempts + 1, now
    if outcome.refusal:
        letter.state, letter.last_error = Letter.State.FAILED, outcome.refusal[:LONGEST_ERROR]
        _REFUSED.put(letter)
        return
    letter.state, letter.last_error = Letter.State.SENT, ""
    letter.sent_at, letter.provider_id = now, outcome.provider_id
    _SENT.put(letter)
    if letter.is_secret and not keeps_text:
        letter.text = letter.html = ""
        _EMPTIED.put(letter)


_REFUSED = Alteration(Letter, "state", "attempts", "settled_at", "last_error")
_SENT = Alteration(Letter, "state", "attempts", "settled_at", "last_error", "sent_at", "provider_id")
_EMPTIED = Alteration(Letter, "text", "html")


def note_delayed(letter: Letter, problem: str) -> None:
    """Write down that *letter* could not leave for now."""
    change = {"last_error": problem[:LONGEST_ERROR], "attempts": letter.attempts + 1, "settled_at": clock.now()}
    _mine([letter]).update(state=Letter.State.QUEUED, **change)
    log.warning("letter %s (%s) could not be sent: %s", letter.pk, letter.name, problem)


def let_go(letters: Sequence[Letter]) -> None:
    """Leave *letters*, which were claimed and not tried, to whoever is next."""
    _mine(letters).update(state=Letter.State.QUEUED)


def _mine(letters: Iterable[Letter]) -> LetterQuerySet:
    """Those that this very task still has: after ``CLAIM`` another may have taken them."""
    task, attempt = _this_run()
    claimed = Letter.objects.filter(pk__in=[letter.pk for letter in letters], state=Letter.State.SENDING)
    return claimed.filter(claimed_task=task, claimed_attempt=attempt)


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
