"""Handing letters over, in the order in which they were written to each address.

Every letter has a task of its own, which alone gives it up.  But whichever task of an address runs first hands over
all that wait for it, in one go: what it did is written down with what it does next, and the tasks that this makes
superfluous go with it, so that many letters to one reader cost one commit each.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from packhouse.base import metrics
from packhouse.mail import actions, ports, tasks
from packhouse.mail.models import Letter
from packhouse.queue import Later
from packhouse.queue import actions as queue
from packhouse.queue.backend import current

log = logging.getLogger(__name__)

STINT: Final = 5.0
"""Seconds after which a task lets those of other addresses go first; far less than its time limit."""
PUT_OFF: Final = timedelta(seconds=5)
"""How long the tasks of an address wait when one of them is at work, unless it takes them over before."""
MOST_PUT_OFF: Final = 500


class NotYet(Exception):
    """A letter did not leave and is to be tried again later."""


def send_with_neighbours(letter_id: int) -> None:
    """Hand over the letter and all others to its address that wait, the oldest first.

    Only its own task gives a letter up: those of the letters behind it try it too, and many of them would soon have
    tried often enough.  Raises ``NotYet`` when the letter is to be tried again, ``Later`` when there is more to do.
    """
    letter = Letter.objects.filter(pk=letter_id).first()
    if letter is None or not (trouble := _send_all_to(letter.to)) or not _waits(letter):
        return
    run = current.get()
    if run is None or run.attempts < actions.MAX_ATTEMPTS or not actions.give_up(letter, trouble):
        raise NotYet(trouble)


def _send_all_to(address: str) -> str:
    """What has kept one of them from leaving, so that it is to be tried again; nothing, usually."""
    port, ends = ports.plugged_in(), time.monotonic() + STINT
    turn = actions.claim_oldest(address, port.at_once)
    if turn.is_taken:
        _leave_to_another(address)
    while turn.letters:
        letters = turn.letters
        outcomes, trouble = _hand_over(port, letters)
        goes_on = not trouble and time.monotonic() < ends
        if outcomes:
            turn = actions.note(outcomes, keeps_text=port.keeps_text, then=port.at_once if goes_on else 0)
        if trouble:
            delayed, *untried = letters[len(outcomes) :]
            actions.note_delayed(delayed, trouble)
            actions.let_go(untried)
            return trouble
    if turn.is_taken:
        raise Later(0)
    return ""


def _hand_over(port: ports.Port, letters: Sequence[Letter]) -> tuple[list[actions.Outcome], str]:
    """Hand *letters* over, up to the first that cannot leave for now: what has become of them, and what keeps it."""
    outcomes: list[actions.Outcome] = []
    trouble = ""
    try:
        for letter in letters:
            outcomes.append(_handed_over(port, letter))  # noqa: PERF401 - what comes before an exception counts
    except Exception as error:  # noqa: BLE001 - whatever it is, the letter waits and the console shows it
        trouble = _words(error)
    try:
        port.settle()
    except Exception as error:  # noqa: BLE001 - the same; which of them have left is not known, so all are tried again
        outcomes, trouble = [], _words(error)
    for outcome in outcomes:
        metrics.count("packhouse_letters", "refused" if outcome.refusal else "sent")
    if trouble:
        metrics.count("packhouse_letters", "delayed")
    return outcomes, trouble


def _handed_over(port: ports.Port, letter: Letter) -> actions.Outcome:
    try:
        return actions.Outcome(letter, port.hand_over(letter))
    except ports.Refused as refusal:
        return actions.Outcome(letter, refusal=str(refusal))


def _words(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _leave_to_another(address: str) -> None:
    """Another task hands over what waits for *address*: those that wait to do the same would only be in its way."""
    waiting = Letter.objects.unsent().filter(to=address).values_list("pk", flat=True)[:MOST_PUT_OFF]
    queue.put_off(tasks.send, waiting, PUT_OFF)
    raise Later(PUT_OFF.total_seconds())


def _waits(letter: Letter) -> bool:
    return Letter.objects.unsent().filter(pk=letter.pk).exists()
