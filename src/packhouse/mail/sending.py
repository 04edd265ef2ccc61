"""Handing letters over, in the order in which they were written to each address."""

import logging

from packhouse.base import metrics
from packhouse.mail import actions, ports
from packhouse.mail.models import Letter
from packhouse.queue.backend import current

log = logging.getLogger(__name__)


class NotYet(Exception):
    """A letter did not leave and is to be tried again later."""


def send_up_to(letter_id: int) -> None:
    """Hand over the letter and all older ones to its address that still wait.

    Each leaves by whichever task comes first; so one that had to wait is not overtaken by the next.  Only its own task
    gives a letter up: those of the letters behind it try it too, and many of them would soon have tried often enough.
    Raises ``NotYet`` when it is to be tried again.
    """
    letter = Letter.objects.filter(pk=letter_id).first()
    if letter is None or not (trouble := _send_all_up_to(letter)):
        return
    run = current.get()
    if run is None or run.attempts < actions.MAX_ATTEMPTS or not actions.give_up(letter, trouble):
        raise NotYet(trouble)


def _send_all_up_to(letter: Letter) -> str:
    """What has kept one of them from leaving, so that it is to be tried again; nothing, usually."""
    port = ports.plugged_in()
    for waiting in Letter.objects.unsent().filter(to=letter.to, pk__lte=letter.pk).order_by("pk"):
        trouble = ""
        if actions.claim(waiting):
            trouble = _hand_over(port, waiting)
        elif Letter.objects.unsent().filter(pk=waiting.pk).exists():
            trouble = f"letter {waiting.pk} is being sent by another"
        if trouble:
            return trouble
    return ""


def _hand_over(port: ports.Port, letter: Letter) -> str:
    """Hand one letter over; what has kept it from leaving for now."""
    try:
        provider_id = port.hand_over(letter)
    except ports.Refused as refusal:
        metrics.count("packhouse_letters", "refused")
        actions.note_trouble(letter, str(refusal), is_final=True)
    except Exception as error:  # noqa: BLE001 (whatever it is, the letter waits and the console shows it)
        metrics.count("packhouse_letters", "delayed")
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        actions.note_trouble(letter, problem, is_final=False)
        return problem
    else:
        metrics.count("packhouse_letters", "sent")
        actions.note_sent(letter, provider_id, keeps_text=port.keeps_text)
    return ""
