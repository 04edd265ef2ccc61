"""Handing letters over, in the order in which they were written to each address."""

import logging

from packhouse.base import metrics
from packhouse.mail import actions, ports
from packhouse.mail.models import Letter

log = logging.getLogger(__name__)


class NotYet(Exception):
    """A letter did not leave and is to be tried again later."""


def send_up_to(letter_id: int) -> None:
    """Hand over the letter and all older ones to its address that still wait.

    Each leaves by whichever task comes first; so one that had to wait is not overtaken by the next.  Raises ``NotYet``
    when one of them must be tried again.
    """
    letter = Letter.objects.filter(pk=letter_id).first()
    if letter is None:
        return
    port = ports.plugged_in()
    for waiting in Letter.objects.unsent().filter(to=letter.to, pk__lte=letter.pk).order_by("pk"):
        if not actions.claim(waiting):
            if Letter.objects.unsent().filter(pk=waiting.pk).exists():
                raise NotYet(f"letter {waiting.pk} is being sent by another")
            continue
        _hand_over(port, waiting)


def _hand_over(port: ports.Port, letter: Letter) -> None:
    try:
        provider_id = port.hand_over(letter)
    except ports.Refused as refusal:
        metrics.count("packhouse_letters", "refused")
        actions.note_trouble(letter, str(refusal), is_final=True)
    except Exception as error:
        metrics.count("packhouse_letters", "delayed")
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        if actions.note_trouble(letter, problem, is_final=False):
            raise NotYet(f"letter {letter.pk}: {problem[: actions.LONGEST_ERROR]}") from error
    else:
        metrics.count("packhouse_letters", "sent")
        actions.note_sent(letter, provider_id, keeps_text=port.keeps_text)
