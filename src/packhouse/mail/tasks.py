"""Background work of mail."""

from datetime import timedelta

from django.conf import settings

from packhouse.base import clock
from packhouse.mail.models import Letter, Notification
from packhouse.queue import background


@background("mail", attempts=40, time_limit=120, backoff=10.0, unique=True)
def send(letter_id: int) -> None:
    """Hand a letter over, and all that wait for its reader.

    It tries for some fifteen hours; a second run finds them gone and does nothing.
    """
    from packhouse.mail.sending import send_with_neighbours  # noqa: PLC0415  # which needs the actions, which need this

    send_with_neighbours(letter_id)


@background("default", attempts=3, unique=True)
def forget_old() -> None:
    """Delete letters and notifications after their time, and the outbox's files with them.  Safe to run twice."""
    from packhouse.mail import ports  # noqa: PLC0415

    before = clock.now() - timedelta(days=settings.PACKHOUSE.mail_retention_days)
    Letter.objects.filter(created_at__lt=before).delete()
    Notification.objects.filter(received_at__lt=before).delete()
    ports.plugged_in().forget(before)
